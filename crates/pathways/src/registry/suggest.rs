//! Proposals for components, from the titles and codes of an agency's catalogue. A person decides.

use std::cmp::Ordering;

use jiff::civil::Date;
use record::AgencyId;

use super::{Component, ComponentKind, Effective, Pathway, RegistryVersion, folded};

/// A row of an agency's catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueRow {
    /// What it is.
    pub kind: ComponentKind,
    /// The agency's code of it.
    pub code: String,
    /// What the agency calls it; may be empty.
    pub title: String,
}

/// A component that a catalogue's row could be.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The row's place in the catalogue, from 0.
    pub row: usize,
    /// The pathway's place in [`RegistryVersion::pathways`].
    pub pathway: usize,
    /// The component as it would be registered.
    pub component: Component,
    /// How alike the row and a registered component are, 0 to 1; 1 for the same code.
    pub score: f64,
    /// What is alike.
    pub reason: Reason,
}

/// Why a row is proposed; each names the registered component that it is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The same code, of another agency or edition, or in effect at another time.
    SameCode(String),
    /// The same four-digit group of CIP codes.
    SameGroup(String),
    /// A similar title.
    SimilarTitle(String),
}

/// The score of two programs of one four-digit CIP group. Titles alone can score higher.
const SAME_GROUP: f64 = 0.8;

impl RegistryVersion {
    /// The components that the rows of `source`'s catalogue could be, from `effective_from` on:
    /// for each row and pathway the best, codes before titles, with a score of `least` or more.
    /// By row, the best first. Rows that count already are left out.
    pub fn suggest(
        &self,
        rows: &[CatalogueRow],
        source: &AgencyId,
        effective_from: Date,
        least: f64,
    ) -> Vec<Suggestion> {
        let mut suggestions = Vec::new();
        for (row, catalogued) in rows.iter().enumerate() {
            let counts = self.components(catalogued.kind, &catalogued.code, source, effective_from);
            if !counts.is_empty() {
                continue;
            }
            let first = suggestions.len();
            let title = normalized(&catalogued.title);
            for (place, pathway) in self.pathways.iter().enumerate() {
                let Some((like, score, reason)) = best(pathway, catalogued, &title) else {
                    continue;
                };
                if score >= least {
                    let component = Component {
                        kind: catalogued.kind,
                        code: catalogued.code.clone(),
                        source: Some(source.clone()),
                        role: like.role,
                        service: like.service.clone(),
                        title: catalogued.title.clone(),
                        effective: self.while_in_use(catalogued.kind, effective_from),
                    };
                    suggestions.push(Suggestion { row, pathway: place, component, score, reason });
                }
            }
            suggestions[first..].sort_by(|a, b| better((&a.reason, a.score), (&b.reason, b.score)));
        }
        suggestions
    }
}

impl RegistryVersion {
    /// From a day on, as long as the edition of the code is in use.
    fn while_in_use(&self, kind: ComponentKind, from: Date) -> Effective {
        match kind.system().and_then(|name| self.editions.get(name)) {
            Some(edition) => Effective { from: from.max(edition.from), to: edition.to },
            None => Effective { from, to: None },
        }
    }
}

/// The component of a pathway that a row is most like; the first of equals.
fn best<'p>(
    pathway: &'p Pathway,
    row: &CatalogueRow,
    title: &str,
) -> Option<(&'p Component, f64, Reason)> {
    let mut best: Option<(&Component, f64, Reason)> = None;
    for component in pathway.components.iter().filter(|it| is_alike(it.kind, row.kind)) {
        let (score, reason) = likeness(component, row, title);
        let is_better = |(_, highest, why): &(&Component, f64, Reason)| {
            better((&reason, score), (why, *highest)).is_lt()
        };
        if best.as_ref().is_none_or(is_better) {
            best = Some((component, score, reason));
        }
    }
    best
}

/// Codes before titles, then by score: less is better.
fn better(one: (&Reason, f64), other: (&Reason, f64)) -> Ordering {
    let is_code = |reason: &Reason| matches!(reason, Reason::SameCode(_));
    is_code(other.0).cmp(&is_code(one.0)).then_with(|| other.1.total_cmp(&one.1))
}

fn likeness(component: &Component, row: &CatalogueRow, title: &str) -> (f64, Reason) {
    if folded(&component.code) == folded(&row.code) {
        return (1.0, Reason::SameCode(component.code.clone()));
    }
    let registered = normalized(&component.title);
    let similar = if title.is_empty() || registered.is_empty() {
        0.0
    } else {
        strsim::sorensen_dice(title, &registered)
    };
    let same_group =
        match (cip_group(component.kind, &component.code), cip_group(row.kind, &row.code)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        };
    if same_group && similar < SAME_GROUP {
        (SAME_GROUP, Reason::SameGroup(component.code.clone()))
    } else {
        (similar, Reason::SimilarTitle(component.title.clone()))
    }
}

/// Whether two kinds can be the same thing: programs and occupations in any edition.
fn is_alike(one: ComponentKind, other: ComponentKind) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&other)
}

/// The four-digit group of a CIP code: `51.08` of `51.0801`.
fn cip_group(kind: ComponentKind, code: &str) -> Option<&str> {
    let is_cip = |system| system != crate::event::CodeSystem::Local;
    matches!(kind, ComponentKind::Program(system) if is_cip(system)).then(|| code.get(..5))?
}

/// Words of a title that say nothing of its subject.
const EMPTY_WORDS: [&str; 22] = [
    "a",
    "aas",
    "and",
    "as",
    "associate",
    "associates",
    "cert",
    "certificate",
    "certified",
    "course",
    "degree",
    "diploma",
    "for",
    "i",
    "ii",
    "in",
    "introduction",
    "of",
    "program",
    "the",
    "to",
    "training",
];

/// The words of a title that say something, in small letters and alphabetical order, so that
/// `Welding Technology, AAS` and `technology of welding` are alike. All words, where none does.
fn normalized(title: &str) -> String {
    let lower = title.to_lowercase();
    let all: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut words: Vec<&str> =
        all.iter().copied().filter(|word| !EMPTY_WORDS.contains(word)).collect();
    if words.is_empty() {
        words = all;
    }
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{default_registry, event::CodeSystem};

    fn suggested(kind: ComponentKind, code: &str, title: &str) -> Vec<(String, f64, Reason)> {
        let registry = default_registry();
        let version = registry.latest();
        let row = CatalogueRow { kind, code: code.to_owned(), title: title.to_owned() };
        let source = "north-college".parse().unwrap();
        let found = version.suggest(&[row], &source, date(2024, 7, 1), 0.6);
        let pathway = |it: &Suggestion| version.pathways[it.pathway].id.to_string();
        found.iter().map(|it| (pathway(it), it.score, it.reason.clone())).collect()
    }

    #[test]
    fn a_code_of_another_edition_comes_first() {
        let title = "Registered nursing";
        let found = suggested(ComponentKind::Program(CodeSystem::Cip2010), "51.0801", title);
        let same = Reason::SameCode("51.0801".to_owned());
        assert_eq!(found, [("HC-1".to_owned(), 1.0, same)]);
        let version = default_registry().latest().clone();
        let cip2010 = ComponentKind::Program(CodeSystem::Cip2010);
        let in_use = version.while_in_use(cip2010, date(2024, 7, 1));
        assert_eq!(in_use, Effective { from: date(2024, 7, 1), to: Some(date(2026, 6, 30)) });
    }

    #[test]
    fn a_neighbor_in_the_classification_is_proposed() {
        let found = suggested(ComponentKind::Program(CodeSystem::Cip2020), "51.0899", "Other");
        let group = Reason::SameGroup("51.0801".to_owned());
        assert_eq!(found, [("HC-1".to_owned(), SAME_GROUP, group)]);
    }

    #[test]
    fn a_similar_title_is_proposed_whatever_the_order_of_its_words() {
        let local = ComponentKind::Program(CodeSystem::Local);
        let found = suggested(local, "MEDA", "Certificate: Assistant, Medical");
        assert_eq!((found.len(), found[0].1), (1, 1.0), "{found:?}");
        assert_eq!(suggested(local, "HIST", "History of art"), []);
        assert_eq!(suggested(local, "NONE", ""), []);
    }

    #[test]
    fn what_counts_already_is_not_proposed() {
        let cip = ComponentKind::Program(CodeSystem::Cip2020);
        assert_eq!(suggested(cip, "51.0801", "Medical assistant"), []);
    }
}
