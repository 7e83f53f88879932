//! How much of what the service stores can be undone by somebody who has it and a population
//! file, but no key: one table per question.
//!
//! `cargo bench --package benches --bench privacy -- --help` lists the options.

#[path = "privacy/bridges.rs"]
mod bridges;

use std::{sync::Arc, time::Instant};

use benches::privacy::{
    case::{Case, Share},
    chains::{Reading, Store, Tokens, unbound},
    graph::{Column, columns},
    likeness::{Attacker, records_found, values_found},
    popcount::LengthLeak,
    scene::{Scene, Setting},
};
use clap::Parser;
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use record::{DEFAULT_SCHEMA, Derivation, FieldKind, Schema};

/// Attacks what the service stores of a made-up state.
#[derive(Parser)]
struct Options {
    /// People in the population file.
    #[arg(long, default_value_t = 5_000)]
    people: u32,
    /// People in the population file of the similarity attack, which compares all with all.
    #[arg(long, default_value_t = 2_000)]
    similarity_people: u32,
    /// Seed of the made-up state and of every sample.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Share of the stored people who are in a partial population file.
    #[arg(long, default_value_t = 0.5)]
    overlap: f64,
    /// Only the tables whose title contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The settings in which the equality graph is attacked, as the tables call them.
const SETTINGS: [(Setting, &str); 3] =
    [(Setting::Copy, "copy"), (Setting::Partial, "partial"), (Setting::Register, "register")];

/// Of how many people the reader of unlisted values knows them.
const KNOWN_PEOPLE: usize = 150;

/// Sizes of the states whose unlisted values are read, in `--people`.
const SCALES: [u32; 3] = [1, 10, 100];

const LEGEND: &str = "\
Stored: records encoded under keys that the attacker does not have, re-keyed by the service.
Population files, encoded under the attacker's own keys:
  copy      everybody who is stored and as many others, with the stored values, SSN and email too
  partial   as many people as are stored, --overlap of them the same
  register  everybody, without SSN and email, of another day; stored are five agencies' records
'known' is an attacker who knows beforehand who 1 % of the stored people are. A share is of all that
there is; in brackets, how much of what the attacker claims is right.
Values read that are in no file: of people other than the 150 whose values are known; in full, and
at least one digit of an SSN, or year, month or day of a date.";

type Part = fn(&Options, [&Arc<Schema>; 2]);

fn main() {
    let options = Options::parse();
    let diffused = schema(DEFAULT_SCHEMA);
    let plain = schema(&DEFAULT_SCHEMA.replace("diffusion = 10", "diffusion = 1"));
    let diffusion = |schema: &Schema| {
        let shapes = schema.fields.iter().filter_map(|field| field.filter.as_ref());
        shapes.map(|shape| shape.diffusion).max()
    };
    assert_eq!(diffusion(&plain), Some(1), "the second schema is without diffusion");
    let parts: [(&str, Part); 7] = [
        ("Records re-identified", records),
        ("Values guessed, register", values),
        ("Similarity of filters", similarity),
        ("Lengths of names from set bits", lengths),
        ("Values read that are in no file", unlisted),
        ("If less were stored", less_stored),
        ("What linkage tells an agency of others' records", told_by_linkage),
    ];
    let started = Instant::now();
    println!("{LEGEND}");
    for (title, part) in parts.into_iter().filter(|(title, _)| title.contains(&options.only)) {
        println!("\n{title}\n");
        part(&options, [&diffused, &plain]);
    }
    println!("\n{:.0} s", started.elapsed().as_secs_f64());
}

fn schema(text: &str) -> Arc<Schema> {
    Arc::new(Schema::parse(text).expect("the shipped schema is checked by its tests"))
}

impl Options {
    fn case(&self, schema: &Arc<Schema>, setting: Setting, people: u32) -> Case {
        Case::new(schema, Scene::new(setting, schema, people, self.seed, self.overlap))
    }
}

fn print<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(header).add_rows(rows);
    println!("{table}");
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn cell(share: Share) -> String {
    match share.claimed {
        0 => "nothing claimed".to_owned(),
        _ => format!("{} ({})", percent(share.recall()), percent(share.precision())),
    }
}

/// The attacks on equality, on both schemas and in every setting, with both controls.
fn records(options: &Options, schemas: [&Arc<Schema>; 2]) {
    const ATTACKS: [&str; 5] = [
        "frequency rank",
        "equality graph",
        "equality graph, known",
        "control: has the keys",
        "control: shuffled file",
    ];
    let mut rows = Vec::new();
    for (setting, name) in SETTINGS {
        let shares = schemas.map(|schema| {
            let case = options.case(schema, setting, options.people);
            let graphs = case.graphs(&columns(schema));
            let shuffled = Case::new(schema, case.scene.shuffled(options.seed));
            let to_no_avail = shuffled.graphs(&columns(schema)).by_equality(Vec::new());
            [
                case.records(&graphs.by_frequency().1),
                case.records(&graphs.by_equality(Vec::new()).1),
                case.records(&graphs.by_equality(case.known()).1),
                case.records(&graphs.by_keys()),
                shuffled.records(&to_no_avail.1),
            ]
        });
        rows.extend(ATTACKS.iter().enumerate().map(|(at, attack)| {
            let n = shares[0][at].of.to_string();
            [name.into(), (*attack).into(), n, cell(shares[0][at]), cell(shares[1][at])]
        }));
    }
    print(["population file", "attack", "records", "as shipped", "diffusion = 1"], rows);
}

/// Field values guessed in what is stored of all agencies, each weighed by its participants.
fn values(options: &Options, [schema, _]: [&Arc<Schema>; 2]) {
    let case = options.case(schema, Setting::Register, options.people);
    let graphs = case.graphs(&columns(schema));
    let by_rank = graphs.values(&graphs.by_frequency().0);
    let by_graph = graphs.values(&graphs.by_equality(Vec::new()).0);
    let rows = by_rank.into_iter().zip(by_graph).map(|((column, rank), (_, graph))| {
        [column.name(schema), rank.of.to_string(), cell(rank), cell(graph)]
    });
    print(["stored value", "values", "frequency rank", "equality graph"], rows);
}

/// The similarity graph of each field's filters, and that of whole records.
fn similarity(options: &Options, schemas: [&Arc<Schema>; 2]) {
    use Attacker::{KeyHolder, Stranger};
    let people = options.similarity_people;
    let copies = schemas.map(|schema| options.case(schema, Setting::Copy, people));
    let mut rows = Vec::new();
    let mut add = |what: &str, n: usize, [diffused, plain]: [[Share; 3]; 2]| {
        let [a, b, c, d, e, f] =
            [diffused[0], diffused[1], diffused[2], plain[0], plain[1], plain[2]].map(cell);
        rows.push([what.to_owned(), n.to_string(), a, b, c, d, e, f]);
    };
    for (place, field) in schemas[0].fields.iter().enumerate() {
        if field.filter.is_some() {
            let shares = copies.each_ref().map(|case| {
                [(Stranger, false), (Stranger, true), (KeyHolder, true)]
                    .map(|(attacker, known)| values_found(case, place, attacker, known))
            });
            add(&field.name, shares[0][0].of, shares);
        }
    }
    for (setting, name) in &SETTINGS[..2] {
        let shares = schemas.map(|schema| {
            let case = options.case(schema, *setting, people);
            [(Stranger, false), (Stranger, true), (KeyHolder, true)]
                .map(|(attacker, known)| records_found(&case, attacker, known))
        });
        add(&format!("records, {name}"), shares[0][0].of, shares);
    }
    let shares = copies.each_ref().map(|case| {
        let shuffled = Case::new(&case.schema, case.scene.shuffled(options.seed));
        [(Stranger, false), (Stranger, true), (KeyHolder, true)]
            .map(|(attacker, known)| records_found(&shuffled, attacker, known))
    });
    add("control: shuffled records", shares[0][0].of, shares);
    let header = ["filters", "n", "as shipped", "known", "known, keys"];
    let [a, b, c, d, e] = header;
    print([a, b, c, d, e, "diffusion = 1", "known", "known, keys"], rows);
}

fn lengths(options: &Options, schemas: [&Arc<Schema>; 2]) {
    let cases = schemas.map(|schema| options.case(schema, Setting::Copy, options.people));
    let is_name = |place: &usize| {
        let field = &schemas[0].fields[*place];
        field.kind == FieldKind::Name && field.filter.is_some()
    };
    let rows = (0..schemas[0].fields.len()).filter(is_name).map(|place| {
        let [diffused, plain] = cases.each_ref().map(|case| {
            let (rows, stored) = (&case.scene.population, &case.truth);
            LengthLeak::of(&case.schema, place, rows, stored, options.seed)
        });
        let leak = |it: LengthLeak| format!("r {:.2}, {:.2} bits", it.correlation, it.information);
        let entropy = format!("{:.2} bits", diffused.entropy);
        let name = schemas[0].fields[place].name.clone();
        [name, diffused.values.to_string(), entropy, leak(diffused), leak(plain)]
    });
    print(["field", "values", "entropy of lengths", "as shipped", "diffusion = 1"], rows);
}

/// Numbers and birth dates that are in no file, in states of several sizes.
fn unlisted(options: &Options, [schema, _]: [&Arc<Schema>; 2]) {
    const ROWS: [(FieldKind, usize, Tokens, &str); 4] = [
        (FieldKind::Identifier, 0, Tokens::All, "as shipped"),
        (FieldKind::Identifier, 0, Tokens::NoNeighbors, "no withoutN, no pairN"),
        (FieldKind::Identifier, 1, Tokens::All, "no bound_to"),
        (FieldKind::Date, 0, Tokens::All, "as shipped"),
    ];
    let schemas = [Schema::clone(schema), unbound(schema)];
    let place = |kind| schema.fields.iter().position(|field| field.kind == kind);
    let cells = SCALES.map(|scale| {
        let state = |schema| Store::new(schema, options.people * scale, options.seed);
        let stores = schemas.each_ref().map(state);
        ROWS.map(|(kind, store, tokens, _)| {
            let read = |place| stores[store].read(place, tokens, KNOWN_PEOPLE);
            let Reading { full, in_part, of } = place(kind).map(read).unwrap_or_default();
            let [full, in_part] = [full, in_part].map(|n| percent(n as f64 / of.max(1) as f64));
            format!("{full}, {in_part} in part")
        })
    });
    let rows = ROWS.iter().enumerate().map(|(row, (kind, _, _, stored))| {
        let name = place(*kind).map(|place| schema.fields[place].name.clone()).unwrap_or_default();
        let [a, b, c] = cells.each_ref().map(|cells| cells[row].clone());
        [name, (*stored).to_owned(), a, b, c]
    });
    let people = SCALES.map(|scale| format!("{} people", options.people * scale));
    let [a, b, c] = people.each_ref().map(String::as_str);
    print(["values", "stored tokens", a, b, c], rows);
}

/// The attack on the equality graph of a part of what is stored.
fn less_stored(options: &Options, [schema, _]: [&Arc<Schema>; 2]) {
    let is_compound =
        |it: &Column| matches!(it, Column::Blocking(key) if schema.blocking[*key].parts.len() > 1);
    let is_exact =
        |it: &Column| matches!(it, Column::Filter(_) | Column::Token(_, Derivation::Exact));
    let all = columns(schema);
    let part = |keep: &dyn Fn(&Column) -> bool| -> Vec<Column> {
        all.iter().copied().filter(keep).collect()
    };
    let compound = part(&is_compound);
    let rarities = schema.fields.iter().enumerate().filter(|(_, field)| field.term_frequency);
    let rarities = rarities.filter(|(_, field)| field.filter.is_some());
    let with_rarity =
        compound.iter().copied().chain(rarities.map(|(place, _)| Column::Rarity(place))).collect();
    let variants: [(&str, Vec<Column>); 7] = [
        ("everything (as shipped)", all.clone()),
        ("no blocking tokens", part(&|it| !matches!(it, Column::Blocking(_)))),
        ("no filters", part(&|it| !matches!(it, Column::Filter(_)))),
        ("filters and exact tokens only", part(&is_exact)),
        ("filters only", part(&|it| matches!(it, Column::Filter(_)))),
        ("compound blocking tokens only", compound),
        ("the same and rarity classes", with_rarity),
    ];
    let cases = [Setting::Copy, Setting::Register]
        .map(|setting| options.case(schema, setting, options.people));
    let rows = variants.map(|(name, columns)| {
        let [[a, b], [c, d]] = cases.each_ref().map(|case| {
            let graphs = case.graphs(&columns);
            [Vec::new(), case.known()].map(|seeds| cell(case.records(&graphs.by_equality(seeds).1)))
        });
        [name.to_owned(), a, b, c, d]
    });
    print(["stored", "copy", "copy, known", "register", "register, known"], rows);
}

/// Pairs of an agency's own records that are one person only because of others' records. The state
/// has four times `--people`, so that there are some.
fn told_by_linkage(options: &Options, _: [&Arc<Schema>; 2]) {
    let rows = bridges::own_pairs(4 * options.people)
        .into_iter()
        .map(|own| [own.agency.to_string(), own.pairs.to_string(), own.only_by_others.to_string()]);
    print(["agency", "pairs of its own records in one participant", "only by others'"], rows);
}
