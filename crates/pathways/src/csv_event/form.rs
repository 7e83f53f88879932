//! The columns that each kind of event uses, as agencies are told of them.

/// The columns of one kind of event, beside [`COMMON`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// The kind, as the column `kind` names it.
    pub kind: &'static str,
    /// What happened.
    pub about: &'static str,
    /// The columns, in the order in which people fill them in.
    pub cells: &'static [Cell],
}

/// One column of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The column.
    pub column: &'static str,
    /// Whether it must be filled in.
    pub required: bool,
    /// Ids of the elements of the Common Education Data Standards, V13, that it holds.
    pub ceds: Option<&'static str>,
    /// What to give.
    pub about: &'static str,
}

/// The columns of every kind.
pub const COMMON: [Cell; 6] = [
    required("local_id", "the agency's own handle of the person"),
    required("event_id", "an id that no other event of the agency has"),
    required("kind", "the kind of event"),
    optional("supersedes", "event_id of the event that this one corrects"),
    optional("purpose_tags", "purposes it is sent for, separated by ;"),
    optional("received_on", "the day of receipt; the service takes its own"),
];

/// Every kind of event.
pub const FORMS: [Form; 23] = [
    Form {
        kind: "enrollment",
        about: "Enrolled in a program, a course, or both (one is required)",
        cells: &[
            optional("code", "the program, such as 51.0801").ceds("000043"),
            optional("code_system", "cip2010, cip2020 or local; required beside code")
                .ceds("000045"),
            optional("course", "the agency's course"),
            optional("term", "the registered term"),
            optional("credits", "such as 3.5"),
            optional("award_level", "the credential aimed at, such as certificate"),
            required("start", "the first day").ceds("001584"),
            required("end", "the last day, actual or planned").ceds("001583"),
        ],
    },
    Form {
        kind: "drop",
        about: "Left a course by its census day: never enrolled in it, until taken up again",
        cells: &[
            required("course", "the course"),
            optional(
                "term",
                "the term: what had begun, else all; without it, what was open that day",
            ),
            required("start", "the day"),
        ],
    },
    Form {
        kind: "withdrawal",
        about: "Left after the census day",
        cells: &[
            optional("course", "the course, as for a drop; without it, all of the term"),
            optional("term", "the term; without it, what was open that day"),
            required("start", "the last day attended"),
        ],
    },
    Form {
        kind: "grade",
        about: "Was graded in a course",
        cells: &[
            required("course", "the course"),
            optional("term", "the term"),
            required("value", "the grade, such as B+"),
            required("outcome", "passed or failed"),
            required("start", "the day"),
        ],
    },
    Form {
        kind: "developmental",
        about: "Was referred to developmental education, or completed it",
        cells: &[
            required("subject", "such as mathematics"),
            required("outcome", "referred or completed").ceds("001588, 001589"),
            required("start", "the day"),
        ],
    },
    Form {
        kind: "transfer_out",
        about: "Left for an institution of the next level",
        cells: &[
            required("institution", "the registered institution"),
            required("start", "the day"),
        ],
    },
    Form {
        kind: "enrollment_elsewhere",
        about: "Is enrolled at an institution of the next level",
        cells: &[
            required("institution", "the registered institution"),
            required("start", "the first day there"),
        ],
    },
    Form {
        kind: "id_change",
        about: "The agency's own handle of the person changed",
        cells: &[
            required("value", "the handle used before"),
            required("start", "the first day of the new one"),
        ],
    },
    Form {
        kind: "class_hours",
        about: "Attended a class of adult education",
        cells: &[
            required("course", "the class"),
            optional("code", "the program that it is taught with").ceds("000043"),
            optional("code_system", "cip2010, cip2020 or local; required beside code")
                .ceds("000045"),
            required("hours", "such as 1.5"),
            required("start", "the day"),
        ],
    },
    Form {
        kind: "educational_level",
        about: "Took a test of the educational functioning level",
        cells: &[
            required("subject", "such as reading"),
            required("level", "1 to 6"),
            required("outcome", "pre or post"),
            required("start", "the day"),
        ],
    },
    Form {
        kind: "service",
        about: "Received a workforce or human service",
        cells: &[
            required("code", "the registered service"),
            required("program", "who pays: adult, youth, snap_et ...").ceds("000997"),
            required("start", "the first day").ceds("001584"),
            required("end", "the last day received").ceds("001583"),
        ],
    },
    Form {
        kind: "training",
        about: "Was trained for a program or an occupation (one is required)",
        cells: &[
            required("program", "who pays: adult, youth, snap_et ...").ceds("000997"),
            optional("code", "the program studied").ceds("000043"),
            optional("code_system", "cip2010, cip2020 or local; required beside code")
                .ceds("000045"),
            optional("occupation", "such as 29-1141").ceds("000730"),
            optional(
                "occupation_system",
                "soc2010, soc2018 or onet2019; required beside occupation",
            ),
            required("start", "the first day").ceds("001584"),
            required("end", "the last day").ceds("001583"),
        ],
    },
    Form {
        kind: "exit",
        about: "Left a program, as the agency states it",
        cells: &[
            required("program", "the program").ceds("000997"),
            required("start", "the last day of participation").ceds("001583"),
            optional("reason", "why"),
        ],
    },
    Form {
        kind: "completion",
        about: "Completed participation in a program",
        cells: &[required("program", "the program").ceds("000997"), required("start", "the day")],
    },
    Form {
        kind: "assistance_exit",
        about: "Assistance ended; no leave of a pathway",
        cells: &[
            required("program", "the program").ceds("000997"),
            required("start", "the last day of assistance"),
        ],
    },
    Form {
        kind: "planned_gap",
        about: "A break that was agreed on",
        cells: &[
            required("start", "the first day"),
            required("end", "the last day"),
            required("recorded_on", "the day it was recorded"),
        ],
    },
    Form {
        kind: "exclusion",
        about: "A reason to be outside the measures",
        cells: &[
            required("reason", "as the rule profile names it"),
            required("start", "the first day"),
        ],
    },
    Form {
        kind: "pathway_flag",
        about: "The agency's own flag",
        cells: &[
            required("pathway", "the id of the pathway").ceds("001291"),
            required("start", "the first day").ceds("001584"),
            optional("end", "the last day; without it, the first alone").ceds("001583"),
        ],
    },
    Form {
        kind: "credential",
        about: "Was awarded a credential",
        cells: &[
            required("name", "its type, such as license"),
            required("code", "the registered credential, or the program").ceds("000043"),
            optional("code_system", "of a program's code: cip2010, cip2020 or local")
                .ceds("000045"),
            required("start", "the day"),
            optional("number", "a keyed token of its number"),
        ],
    },
    Form {
        kind: "revocation",
        about: "A true credential is no longer in force",
        cells: &[
            required("value", "event_id of the credential"),
            required("start", "the first day"),
            optional("reason", "why").ceds("001661"),
        ],
    },
    Form {
        kind: "wages",
        about: "Wages of a quarter from one employer",
        cells: &[
            required("term", "the quarter, such as 2024Q2"),
            required("employer", "the account"),
            optional("naics", "2 to 6 digits").ceds("001064"),
            required("amount", "dollars, such as 1234.56").ceds("000989"),
        ],
    },
    Form {
        kind: "attribute",
        about: "Anything that reports group by",
        cells: &[
            required("name", "such as region"),
            required("value", "its value"),
            required("start", "the first day"),
        ],
    },
    Form {
        kind: "void",
        about: "An earlier event never happened",
        cells: &[required("value", "its event_id")],
    },
];

const fn required(column: &'static str, about: &'static str) -> Cell {
    Cell { column, required: true, ceds: None, about }
}

const fn optional(column: &'static str, about: &'static str) -> Cell {
    Cell { column, required: false, ceds: None, about }
}

impl Cell {
    const fn ceds(self, ids: &'static str) -> Self {
        Self { ceds: Some(ids), ..self }
    }
}
