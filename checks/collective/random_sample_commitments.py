"""Suite of the commitments of the random sample."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "what_was_committed_to_stands",
        "unexpected_rows_expectation",
        "No commitment that was published before has changed or is gone.",
        kwargs={
            "unexpected_rows_query": "SELECT p.month_on FROM lake.collective.random_sample_commitments p LEFT JOIN {batch} b USING (month_on) "
            "WHERE b.commitment_sha256 IS DISTINCT FROM p.commitment_sha256 OR b.committed_on IS DISTINCT FROM p.committed_on"
        },
    ),
    Expectation(
        "months_have_seeds_of_their_own",
        "unexpected_rows_expectation",
        "No two months have the same commitment.",
        kwargs={"unexpected_rows_query": "SELECT commitment_sha256 FROM {batch} GROUP BY 1 HAVING count(*) > 1"},
    ),
)
