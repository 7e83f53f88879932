//! What linkage tells an agency of others' records: two records of its own that are one person only
//! because a third one, elsewhere, lies between them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use benches::{encoded, schema, state};
use linkage::{DEFAULT_MODEL, Linker, Model, Policy};
use record::{AgencyId, EncodedRecord, RecordKey, RecordVersion};

/// Pairs of records of one agency that are one participant.
pub struct OwnPairs {
    /// Whose they are.
    pub agency: AgencyId,
    /// How many there are.
    pub pairs: usize,
    /// How many of them are not, where nobody else's records are linked.
    pub only_by_others: usize,
}

/// Links a made-up state with the shipped model, once whole and once agency by agency.
pub fn own_pairs(people: u32) -> Vec<OwnPairs> {
    let schema = schema();
    let model = Model::from_toml(DEFAULT_MODEL, &schema).expect("the shipped model fits");
    let model = Arc::new(model);
    let mut by_agency: BTreeMap<AgencyId, Vec<(RecordKey, EncodedRecord)>> = BTreeMap::new();
    for (key, record) in encoded(&state(people)) {
        by_agency.entry(key.agency.clone()).or_default().push((key, record));
    }
    let linked = |records: &mut dyn Iterator<Item = &(RecordKey, EncodedRecord)>| {
        let mut linker = Linker::new(schema.clone(), model.clone(), Policy::default());
        for (key, record) in records {
            linker.insert(key.clone(), RecordVersion(1), record.clone());
        }
        linker.settle().groups
    };
    let with_all = linked(&mut by_agency.values().flatten());
    let alone = by_agency.iter().map(|(agency, records)| {
        let pairs = pairs_of(agency, &with_all);
        let own = pairs_of(agency, &linked(&mut records.iter()));
        let only_by_others = pairs.difference(&own).count();
        OwnPairs { agency: agency.clone(), pairs: pairs.len(), only_by_others }
    });
    alone.collect()
}

fn pairs_of(agency: &AgencyId, groups: &[Vec<RecordKey>]) -> BTreeSet<(RecordKey, RecordKey)> {
    let mut pairs = BTreeSet::new();
    for group in groups {
        let own: Vec<_> = group.iter().filter(|record| record.agency == *agency).collect();
        for (place, first) in own.iter().enumerate() {
            pairs.extend(own[place + 1..].iter().map(|other| ((*first).clone(), (*other).clone())));
        }
    }
    pairs
}
