from __future__ import annotations

from verifier_diary.lessons import Expectation, expectations

SOURCE = """\
/* EXPECT_REJECT("in a comment, indented or not, is none") */
static int helper(int x)
{
	return other(x);
}

EXPECT_REJECT("R1 \\"quoted\\"",
              "R1 reworded")
EXPECT_AT("return other(x);")
SEC("?xdp")
int a_bad(struct xdp_md *ctx)
{
	return helper(1);
}

SEC("?xdp")
int a_good(struct xdp_md *ctx)
{
	return helper(2);
}
"""


def test_marks_belong_to_the_function_below_them() -> None:
    assert expectations(SOURCE) == {
        "a_bad": Expectation(('R1 "quoted"', "R1 reworded"), ("return other(x);",))
    }
