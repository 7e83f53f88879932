//! What the demo shows of the outcome, asked of the service like anybody would.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    admin::GetServiceInfoResponse,
    convert::record_key_to_proto,
    review::{ExplainRequest, review_service_client::ReviewServiceClient},
    status::Status,
};
use linkage::Evaluation;
use record::RecordKey;
use serde_json::json;

use super::{Journey, journey::STEWARD};
use crate::{
    client::{answer::failure, connection, memberships::memberships, statuses},
    failure::Failure,
    output::{Section, text},
};

/// Pairs looked at to find one that is worth explaining.
const PAIRS_LOOKED_AT: usize = 300;

/// Comparison levels that show more than equality.
const TELLING_LEVELS: [&str; 7] =
    ["near", "nickname", "swapped", "one_off", "transposed", "exchanged", "component"];

/// The outcome of the demo.
pub struct Results {
    /// The participant of every record.
    pub links: BTreeMap<RecordKey, String>,
    /// The links against the truth.
    pub evaluation: Evaluation,
    /// Two records of different agencies that are one participant, and not by equality alone.
    pub telling_pair: Option<(RecordKey, RecordKey)>,
    /// Statuses of the shown agency's own people.
    pub own_statuses: Vec<Status>,
}

impl Results {
    /// Asks the running service.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub fn collect(
        journey: &Journey<'_>,
        truth: impl Iterator<Item = (RecordKey, String)>,
        shown_agency: &str,
    ) -> Result<Self, Failure> {
        connection::run(async {
            let links = memberships(journey.operator().await?).await?;
            let evaluation = linkage::evaluate(&links, &truth.collect());
            let telling_pair = telling_pair(journey, &links).await?;
            let mut agency = statuses::client(journey.holder(shown_agency).await?);
            let own_statuses = statuses::list_all(&mut agency, "", "").await?;
            Ok(Self { links, evaluation, telling_pair, own_statuses })
        })
    }

    /// One of the agency's own people for each of some labels.
    pub fn examples(&self) -> Vec<String> {
        let wanted = ["leaver", "completer, still enrolled"];
        let example = |label: &&str| {
            self.own_statuses.iter().find(|s| s.label == **label && s.pathway != "system")
        };
        let found: BTreeSet<String> =
            wanted.iter().filter_map(example).map(|status| status.local_id.clone()).collect();
        found.into_iter().collect()
    }
}

/// Precision and recall against the truth.
pub fn accuracy(evaluation: &Evaluation) -> Section {
    let mut section = Section::new("accuracy", &["measure", "precision", "recall", "f1"]);
    for (name, quality) in [("pairwise", &evaluation.pairwise), ("b_cubed", &evaluation.b_cubed)] {
        section.row(vec![
            text(name),
            json!(quality.precision),
            json!(quality.recall),
            json!(quality.f1),
        ]);
    }
    section
}

/// Participants, leavers and completers by pathway: three facets, so the columns overlap.
pub fn by_pathway(info: &GetServiceInfoResponse) -> Section {
    let mut counts: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    for count in &info.labels {
        let row = counts.entry(&count.pathway).or_default();
        let is = [
            count.label == "candidate",
            count.label != "candidate",
            count.label == "leaver" || count.label == "completer-leaver",
            count.label.contains("completer"),
        ];
        for (cell, _) in row.iter_mut().zip(is).filter(|(_, is)| *is) {
            *cell += count.participants;
        }
    }
    let columns = ["pathway", "candidates", "participants", "leavers", "completers"];
    let mut section = Section::new("pathways", &columns);
    for (pathway, cells) in counts {
        section.row([vec![text(pathway)], cells.map(|cell| json!(cell)).to_vec()].concat());
    }
    section
}

/// How many of an agency's own records have which label over all pathways together.
pub fn by_label(agency: &str, statuses: &[Status]) -> Section {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for status in statuses.iter().filter(|status| status.pathway == "system") {
        *counts.entry(&status.label).or_default() += 1;
    }
    let mut section = Section::new("own_statuses", &["agency", "pathway", "label", "records"]);
    for (label, records) in counts {
        section.row(vec![text(agency), text("system"), text(label), json!(records)]);
    }
    section
}

/// The first pair of two agencies whose explanation shows more than equal values.
async fn telling_pair(
    journey: &Journey<'_>,
    links: &BTreeMap<RecordKey, String>,
) -> Result<Option<(RecordKey, RecordKey)>, Failure> {
    let mut review = ReviewServiceClient::new(journey.holder(STEWARD).await?);
    let mut groups: BTreeMap<&str, Vec<&RecordKey>> = BTreeMap::new();
    for (record, participant) in links {
        groups.entry(participant).or_default().push(record);
    }
    let across = groups.values().filter_map(|group| {
        let (first, last) = (group.first()?, group.last()?);
        (first.agency != last.agency && last.agency.as_str() != "wages").then_some((*first, *last))
    });
    for (left, right) in across.take(PAIRS_LOOKED_AT) {
        let request = ExplainRequest {
            record: Some(record_key_to_proto(left)),
            other: Some(record_key_to_proto(right)),
        };
        let answer = review.explain(request).await.map_err(|status| failure(&status))?;
        let pairs = answer.into_inner().pairs;
        let levels = pairs.iter().flat_map(|pair| &pair.fields).map(|field| field.level.as_str());
        if levels.filter(|level| TELLING_LEVELS.contains(level)).count() >= 2 {
            return Ok(Some((left.clone(), right.clone())));
        }
    }
    Ok(None)
}
