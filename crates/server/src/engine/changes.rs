//! What an agency's feed says of a status: what changed, of which day, known since when, and why.

use api::{
    convert::date_to_proto,
    status::{self as proto, Cause, EngagementState, Facet, ParticipationState, StatusChange},
    types,
};
use jiff::civil::Date;
use record::RecordKey;
use store::{ChangeCause, NewChange, StatusRow, Store};

use super::evaluate::{lasting, on_day, read_change, read_status};

/// Why a record's statuses changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Why {
    /// In full.
    pub(super) cause: ChangeCause,
    /// Whether its own agency's data had a part in it.
    pub(super) is_own: bool,
}

impl Why {
    /// What its agency may know of it.
    fn told(self) -> Cause {
        match self.cause {
            ChangeCause::Rules => Cause::Rules,
            ChangeCause::Calendar => Cause::Calendar,
            _ if self.is_own => Cause::OwnData,
            _ => Cause::OtherData,
        }
    }
}

/// What a record's feed does not say yet: how `rows`, its statuses now, differ from what was last
/// told of them, by pathway.
pub(super) fn changes_of(
    store: &Store,
    record: &RecordKey,
    rows: &[&StatusRow],
    day: Date,
) -> store::Result<Vec<StatusChange>> {
    let mut told = Vec::new();
    for payload in store.told(record)? {
        told.extend(read_change(&payload)?.status.map(lasting));
    }
    let mut changes = Vec::new();
    for row in rows {
        let before = told.iter().position(|old| old.pathway == row.pathway);
        let before = before.map(|place| told.swap_remove(place));
        changes.extend(change(before, Some(read_status(&row.payload)?), day));
    }
    told.sort_by(|a, b| a.pathway.cmp(&b.pathway));
    changes.extend(told.into_iter().filter_map(|ended| change(Some(ended), None, day)));
    Ok(changes)
}

/// The entry of the feed for a change.
pub(super) fn entry(record: &RecordKey, change: StatusChange, why: Why) -> NewChange {
    let change = StatusChange { cause: why.told().into(), ..change };
    let pathway = change.status.as_ref().map(|status| status.pathway.clone());
    NewChange {
        record: record.clone(),
        pathway: pathway.unwrap_or_default(),
        cause: why.cause,
        payload: api::encode(&change),
    }
}

/// The change from one status to the other, without its cause; nothing where they say the same of
/// the person, whatever gave them.
fn change(
    old: Option<proto::Status>,
    new: Option<proto::Status>,
    day: Date,
) -> Option<StatusChange> {
    let previous_label = old.as_ref().map_or_else(String::new, |old| old.label.clone());
    let new = new.or_else(|| old.as_ref().map(nothing))?;
    let before = old.unwrap_or_else(|| nothing(&new));
    let changed = changed(&before, &new);
    if changed.is_empty() {
        return None;
    }
    let today = date_to_proto(day);
    let effective = changed.iter().map(|facet| effective_on(*facet, &before, &new));
    let known = changed.iter().map(|facet| known_on(*facet, &new).unwrap_or(today));
    Some(StatusChange {
        effective_on: effective.map(|it| it.unwrap_or(today)).min_by_key(order),
        known_on: known.max_by_key(order),
        changed: changed.iter().map(|facet| (*facet).into()).collect(),
        previous_label,
        status: Some(on_day(new, day)),
        ..StatusChange::default()
    })
}

fn changed(before: &proto::Status, new: &proto::Status) -> Vec<Facet> {
    let parts = [
        (Facet::Participation, before.participation != new.participation),
        (Facet::Engagement, before.engagement != new.engagement || before.spells != new.spells),
        (Facet::Credential, before.credential != new.credential),
        (Facet::Pseudonym, before.pseudonym != new.pseudonym),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(facet, _)| facet).collect()
}

/// The first day of which a facet says something else than before; `None`: of the day itself.
fn effective_on(facet: Facet, before: &proto::Status, new: &proto::Status) -> Option<types::Date> {
    let earliest = |of: fn(&proto::Status) -> Option<types::Date>| {
        [of(before), of(new)].into_iter().flatten().min_by_key(order)
    };
    match facet {
        Facet::Participation => earliest(|it| it.participation?.effective_on),
        Facet::Credential => earliest(|it| it.credential.as_ref()?.first_on),
        Facet::Engagement if before.engagement == new.engagement => other_spell(before, new),
        Facet::Engagement => {
            let last_on = |it: &proto::Status| it.engagement.as_ref().and_then(|it| it.last_on);
            let spell = |it: &proto::Status| it.spells.last().and_then(|it| it.start);
            let state = |it: &proto::Status| it.engagement.as_ref().map(|it| it.state());
            match state(new) {
                // In the spell of before: since some day after its last one.
                Some(EngagementState::Active) => {
                    [spell(new), last_on(before)].into_iter().flatten().max_by_key(order)
                }
                None | Some(EngagementState::None | EngagementState::Unspecified) => spell(before),
                Some(_) => last_on(new),
            }
        }
        Facet::Pseudonym | Facet::Unspecified => None,
    }
}

/// The first day of which the spells before the current state say something else.
fn other_spell(before: &proto::Status, new: &proto::Status) -> Option<types::Date> {
    let both = before.spells.iter().zip(&new.spells);
    let n_same = both.take_while(|(old, new)| old == new).count();
    match (before.spells.get(n_same), new.spells.get(n_same)) {
        (Some(old), Some(new)) if old.start == new.start => {
            [old.last_on, new.last_on].into_iter().flatten().min_by_key(order)
        }
        (old, new) => {
            let starts = [old, new].into_iter().flatten().filter_map(|spell| spell.start);
            starts.min_by_key(order)
        }
    }
}

/// The first day on which all that a facet rests on was known; `None`: the day itself.
fn known_on(facet: Facet, new: &proto::Status) -> Option<types::Date> {
    match facet {
        Facet::Participation => new.participation?.known_on,
        Facet::Engagement => new.engagement.as_ref()?.known_on,
        Facet::Credential => new.credential.as_ref()?.known_on,
        Facet::Pseudonym | Facet::Unspecified => None,
    }
}

fn order(date: &types::Date) -> (u32, u32, u32) {
    (date.year, date.month, date.day)
}

/// The status of a pathway that nothing touches, of the same person.
fn nothing(status: &proto::Status) -> proto::Status {
    let none = ParticipationState::None;
    proto::Status {
        local_id: status.local_id.clone(),
        pathway: status.pathway.clone(),
        pseudonym: status.pseudonym.clone(),
        label: pathways::Label::None.to_string(),
        participation: Some(proto::Participation { state: none.into(), ..Default::default() }),
        engagement: Some(proto::Engagement {
            state: EngagementState::None.into(),
            ..Default::default()
        }),
        credential: Some(proto::CredentialFacet {
            state: proto::CredentialState::None.into(),
            ..Default::default()
        }),
        rule_profile: status.rule_profile.clone(),
        registry_version: status.registry_version.clone(),
        ..proto::Status::default()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 9, 1);

    fn day(month: u32, day: u32) -> Option<types::Date> {
        Some(types::Date { year: 2026, month, day })
    }

    fn status(engagement: proto::Engagement) -> proto::Status {
        let state = ParticipationState::Participant.into();
        let participation = proto::Participation {
            state,
            effective_on: day(1, 12),
            determinable_on: day(1, 30),
            known_on: day(2, 5),
        };
        let spell = proto::Spell { start: day(1, 12), last_on: None, ended: false };
        proto::Status {
            pathway: "HC-1".to_owned(),
            label: "participant".to_owned(),
            pseudonym: "p".to_owned(),
            participation: Some(participation),
            engagement: Some(engagement),
            spells: vec![spell],
            ..nothing(&proto::Status::default())
        }
    }

    fn engaged(state: EngagementState, last_on: Option<types::Date>) -> proto::Engagement {
        proto::Engagement { state: state.into(), last_on, ..Default::default() }
    }

    /// What changed, from when, and known since when.
    fn told(
        old: Option<&proto::Status>,
        new: Option<&proto::Status>,
    ) -> Option<(Vec<Facet>, Option<types::Date>, Option<types::Date>)> {
        let change = change(old.cloned(), new.cloned(), TODAY)?;
        Some((change.changed().collect(), change.effective_on, change.known_on))
    }

    #[test]
    fn a_change_says_what_changed_of_which_day_and_since_when_it_is_known() {
        let active = status(engaged(EngagementState::Active, None));
        let gap = status(engaged(EngagementState::InGap, day(5, 8)));
        let left =
            proto::Engagement { known_on: day(9, 1), ..engaged(EngagementState::Left, day(5, 8)) };
        let left = status(left);
        let today = day(9, 1);
        let engagement = vec![Facet::Engagement];
        let both = vec![Facet::Participation, Facet::Engagement];
        assert_eq!(told(None, Some(&active)), Some((both.clone(), day(1, 12), today)));
        assert_eq!(told(Some(&active), Some(&gap)), Some((engagement.clone(), day(5, 8), today)));
        assert_eq!(told(Some(&gap), Some(&left)), Some((engagement.clone(), day(5, 8), today)));
        assert_eq!(told(Some(&gap), Some(&active)), Some((engagement, day(5, 8), today)));
        assert_eq!(told(Some(&left), None), Some((both, day(1, 12), today)));
        assert_eq!(told(Some(&gap), Some(&gap)), None);
        let renamed = proto::Status { pseudonym: "q".to_owned(), ..gap.clone() };
        let pseudonym = vec![Facet::Pseudonym];
        assert_eq!(told(Some(&gap), Some(&renamed)), Some((pseudonym, today, today)));
        let mut late = active.clone();
        late.participation = Some(proto::Participation {
            effective_on: day(3, 1),
            known_on: day(8, 20),
            ..active.participation.unwrap_or_default()
        });
        let participation = vec![Facet::Participation];
        let known = day(8, 20);
        assert_eq!(told(Some(&active), Some(&late)), Some((participation, day(1, 12), known)));
    }

    #[test]
    fn what_ended_is_told_as_no_status_with_the_label_of_before() {
        let active = status(engaged(EngagementState::Active, None));
        let ended = change(Some(active.clone()), None, TODAY).unwrap();
        let status = ended.status.unwrap();
        assert_eq!((&*status.label, &*ended.previous_label), ("none", "participant"));
        assert_eq!(status.pseudonym, active.pseudonym);
        let begun = change(None, Some(active), TODAY).unwrap();
        assert_eq!(begun.previous_label, "");
        assert_eq!(begun.status.unwrap().spells[0].last_on, day(9, 1));
    }
}
