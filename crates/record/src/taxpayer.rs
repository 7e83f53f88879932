//! The form of social security and taxpayer numbers, which must never serve as a record's handle.

/// Nine digits that the Social Security Administration (area, group and serial not zero, area not
/// 666 or 9xx) or, as an ITIN, the IRS (9xx with group 50-65, 70-88, 90-92 or 94-99) can issue.
pub fn is_taxpayer_number(digits: &str) -> bool {
    let part = |range| digits.get(range).and_then(|part: &str| part.parse().ok());
    let (Some(area), Some(group), Some(serial)) = (part(0..3), part(3..5), part(5..9)) else {
        return false;
    };
    let (area, group, serial): (u16, u16, u16) = (area, group, serial);
    let issued_group = match area {
        0 | 666 => false,
        900.. => matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99),
        _ => group != 0,
    };
    digits.len() == 9 && issued_group && serial != 0
}

#[cfg(test)]
mod tests {
    use crate::LocalId;

    #[test]
    fn local_ids_that_could_be_ssns_are_seen() {
        for id in ["219-09-9999", "219099999", "219.09.9999", "900-70-1234"] {
            assert!(id.parse::<LocalId>().unwrap().looks_like_ssn(), "{id}");
        }
        for id in ["A219099999", "21909999", "000-12-3456", "900123456", "666121234"] {
            assert!(!id.parse::<LocalId>().unwrap().looks_like_ssn(), "{id}");
        }
    }
}
