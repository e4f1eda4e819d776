"""A stand-in for the services that sources are pulled from: the sample city behind their real paths, parameters, paging, headers,
error habits and limits. Each host is served below its own name, so `https://opendata.cbs.nl/ODataApi/…` is
`http://127.0.0.1:8210/opendata.cbs.nl/ODataApi/…`.
"""
