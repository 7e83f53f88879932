"""The settings for Splink, written for each data set as a careful analyst would."""

import dataclasses

import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import block_on


@dataclasses.dataclass
class Plan:
    """How Splink links a data set."""

    columns: str
    """What is selected from the raw rows, in SQL."""
    comparisons: list
    blocking: list
    deterministic: list
    """Rules with next to no false match, for the prior."""
    recall: float
    """The share of the true pairs that an expert expects these rules to find."""
    training: list
    """A blocking rule for each session of expectation maximization."""
    random_pairs: float = 1e6
    """How many random pairs the chances of agreement of two strangers are estimated from."""
    derived: str = ""
    """What is added to the columns, in SQL."""
    link_type: str = "dedupe_only"


def febrl(link_type):
    """FEBRL: made-up Australians with heavy typing errors; the SSN column is left out."""
    columns = """
        given_name, surname, street_number, address_1, address_2, suburb, postcode, state,
        date_of_birth AS dob
    """
    text = lambda column: cl.LevenshteinAtThresholds(column, [1, 3]).configure(
        term_frequency_adjustments=True
    )
    return Plan(
        columns,
        derived="given_name || ' ' || surname AS full_name",
        comparisons=[
            cl.ForenameSurnameComparison(
                "given_name", "surname", forename_surname_concat_col_name="full_name"
            ),
            cl.DateOfBirthComparison("dob", input_is_string=True, datetime_format="%Y%m%d"),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            text("address_1"),
            text("address_2"),
            text("suburb"),
            cl.LevenshteinAtThresholds("postcode", [1, 2]),
            cl.ExactMatch("state").configure(term_frequency_adjustments=True),
        ],
        blocking=[
            block_on("given_name", "surname"),
            "l.given_name = r.surname and l.surname = r.given_name",
            block_on("dob"),
            block_on("postcode", "street_number"),
            block_on("postcode", "surname"),
            block_on("postcode", "given_name"),
            block_on("street_number", "address_1"),
            block_on("state", "address_1"),
            block_on("suburb", "street_number"),
            block_on("suburb", "given_name"),
            block_on("suburb", "surname"),
            block_on("substr(given_name, 1, 3)", "substr(surname, 1, 3)"),
        ],
        deterministic=[
            block_on("given_name", "surname", "dob"),
            block_on("dob", "postcode"),
            block_on("given_name", "address_1", "street_number"),
        ],
        recall=0.9,
        training=[block_on("dob"), block_on("given_name", "surname"), block_on("postcode")],
        link_type=link_type,
    )


def historical50k():
    """Historical persons with heavy errors; half of the dates are the first of January."""
    columns = """
        first_name, surname, dob, birth_place, postcode_fake AS postcode, occupation
    """
    postcode_levels = [
        cll.NullLevel("postcode"),
        cll.ExactMatchLevel("postcode", term_frequency_adjustments=True),
        cll.LevenshteinLevel("postcode", 1),
        cll.ExactMatchLevel("district", term_frequency_adjustments=True),
        cll.ElseLevel(),
    ]
    return Plan(
        columns,
        derived="split_part(postcode, ' ', 1) AS district",
        comparisons=[
            cl.NameComparison("first_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True).configure(
                term_frequency_adjustments=True
            ),
            cl.CustomComparison(postcode_levels, "postcode"),
            cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
            cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
        ],
        blocking=[
            block_on("substr(first_name, 1, 3)", "substr(surname, 1, 4)"),
            block_on("surname", "dob"),
            block_on("first_name", "dob"),
            block_on("postcode"),
            block_on("dob", "birth_place"),
            block_on("dob", "occupation"),
            block_on("substr(postcode, 1, 3)", "dob"),
            block_on("substr(postcode, 1, 3)", "first_name"),
            block_on("substr(postcode, 1, 3)", "surname"),
            block_on("substr(first_name, 1, 2)", "substr(surname, 1, 2)", "substr(dob, 1, 4)"),
            block_on("surname", "birth_place"),
            block_on("surname", "occupation"),
            block_on("first_name", "birth_place", "occupation"),
            block_on("first_name", "occupation", "substr(dob, 1, 3)"),
            "l.first_name = r.surname and l.surname = r.first_name",
        ],
        deterministic=[
            block_on("first_name", "surname", "dob"),
            block_on("substr(first_name, 1, 2)", "surname", "substr(postcode, 1, 2)"),
            block_on("dob", "postcode"),
        ],
        recall=0.6,
        training=[block_on("first_name", "surname"), block_on("dob"), block_on("postcode")],
    )


def people():
    """A million made-up records of five agencies: already tidy, with moves and missing columns."""
    columns = """
        ssn, first_name, middle_name, last_name, date_of_birth AS dob, sex, address, zip
    """
    # No random pair of strangers is one digit apart: the chance is that of nine digits.
    one_off = {"u_probability": 1e-7, "fix_u_probability": True}
    ssn_levels = [
        cll.NullLevel("ssn"),
        cll.ExactMatchLevel("ssn"),
        cll.LevenshteinLevel("ssn", 1).configure(**one_off),
        cll.LevenshteinLevel("ssn", 2),
        cll.ElseLevel(),
    ]
    return Plan(
        columns,
        comparisons=[
            cl.NameComparison("first_name"),
            cl.NameComparison("last_name"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.CustomComparison(ssn_levels, "ssn"),
            cl.ExactMatch("middle_name"),
            address("address", "zip"),
            cl.ExactMatch("sex"),
        ],
        blocking=[
            block_on("ssn"),
            block_on("first_name", "last_name", "dob"),
            block_on("first_name", "dob"),
            block_on("last_name", "dob"),
            block_on("address", "zip"),
            block_on("first_name", "last_name", "zip"),
            block_on("dob", "substr(first_name, 1, 1)", "substr(last_name, 1, 1)"),
            block_on("substr(ssn, 1, 5)", "first_name", "substr(last_name, 1, 1)"),
            block_on("substr(ssn, 5, 5)", "last_name"),
            block_on("first_name", "last_name", "middle_name", "substr(dob, 1, 4)"),
        ],
        deterministic=[
            block_on("ssn", "first_name"),
            block_on("first_name", "last_name", "dob"),
        ],
        recall=0.8,
        training=[
            block_on("first_name", "last_name", "zip"),
            block_on("ssn"),
            block_on("dob", "first_name"),
        ],
        random_pairs=1e7,
    )


def address(street, postal_code):
    """Street line and postal code as one comparison: they depend on each other."""
    same = lambda column: f"{column}_l = {column}_r"
    near = f"levenshtein({street}_l, {street}_r) <= 2 AND {same(postal_code)}"
    levels = [
        cll.NullLevel(street),
        cll.CustomLevel(f"{same(street)} AND {same(postal_code)}", "same address"),
        cll.CustomLevel(near, "two errors in the street, same postal code"),
        cll.CustomLevel(same(postal_code), "same postal code"),
        cll.ElseLevel(),
    ]
    return cl.CustomComparison(levels, "address")


# What a careful analyst strikes out of the made-up state's files.
SUFFIX = r"\s+(jr|sr|ii|iii)$"
NO_NAME = "('unknown', 'test', 'babyboy', 'babygirl')"
NO_SSN = "^(000|666|9)|^...00|0000$|^123456789$|^111111111$"
STREET_KINDS = {
    " street": " st", " avenue": " ave", " road": " rd", " drive": " dr", " lane": " ln",
    " court": " ct", " boulevard": " blvd", " apt ": " #",
}


def state_columns():
    """Lower case, one spelling of streets, no suffix in a name, no placeholder."""
    bare = lambda column: f"regexp_replace(lower({column}), '{SUFFIX}', '')"
    name = lambda column: f"nullif(regexp_replace({bare(column)}, '[^a-z]', '', 'g'), '')"
    known = lambda column: f"CASE WHEN {name(column)} NOT IN {NO_NAME} THEN {name(column)} END"
    digits = lambda column: f"regexp_replace({column}, '[^0-9]', '', 'g')"
    street = "lower(street_address)"
    for full, short in STREET_KINDS.items():
        street = f"replace({street}, '{full}', '{short}')"
    return f"""
        {known("first_name")} AS first_name,
        {name("middle_name")} AS middle_name,
        {known("last_name")} AS last_name,
        coalesce(lower(name_suffix), nullif(regexp_extract(lower(last_name), '{SUFFIX}', 1), ''))
            AS suffix,
        CASE WHEN date_of_birth <> '1900-01-01' THEN date_of_birth END AS dob,
        CASE WHEN NOT regexp_matches({digits("ssn")}, '{NO_SSN}') THEN {digits("ssn")} END AS ssn,
        sex, {street} AS street, zip, {digits("phone")} AS phone, lower(email) AS email
    """


def state():
    """The made-up state: five agencies that record different things over several years."""
    initial = "substr(middle_name_l, 1, 1) = substr(middle_name_r, 1, 1)"
    middle_levels = [
        cll.NullLevel("middle_name"),
        cll.ExactMatchLevel("middle_name", term_frequency_adjustments=True),
        cll.CustomLevel(initial, "same initial"),
        cll.ElseLevel(),
    ]
    return Plan(
        state_columns(),
        derived="first_name || ' ' || last_name AS full_name",
        comparisons=[
            cl.ForenameSurnameComparison(
                "first_name", "last_name", forename_surname_concat_col_name="full_name"
            ),
            cl.CustomComparison(middle_levels, "middle_name"),
            cl.ExactMatch("suffix"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.LevenshteinAtThresholds("ssn", [1, 2]),
            cl.ExactMatch("sex"),
            address("street", "zip"),
            cl.LevenshteinAtThresholds("phone", 1),
            cl.ExactMatch("email"),
        ],
        blocking=[
            block_on("ssn"),
            block_on("first_name", "dob"),
            block_on("last_name", "dob"),
            block_on("first_name", "last_name", "zip"),
            block_on("street", "zip", "first_name"),
            block_on("first_name", "last_name", "substr(middle_name, 1, 1)"),
            block_on("dob", "zip"),
            block_on("phone", "first_name"),
            block_on("email"),
            block_on("substr(ssn, 1, 5)", "first_name"),
            block_on("substr(ssn, 5, 5)", "last_name"),
        ],
        deterministic=[
            block_on("ssn", "first_name"),
            block_on("first_name", "last_name", "dob"),
            block_on("first_name", "email"),
        ],
        recall=0.85,
        training=[block_on("ssn"), block_on("first_name", "last_name"), block_on("dob")],
    )


PLANS = {
    "febrl3": lambda: febrl("dedupe_only"),
    "febrl4": lambda: febrl("link_only"),
    "historical50k": historical50k,
    "people": people,
    "state": state,
}
