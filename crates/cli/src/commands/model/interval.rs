//! How sure training is of a match weight.

use linkage::{FieldModel, LevelModel};

/// The standard normal quantile of a two-sided 95 % interval.
const Z_95: f64 = 1.96;

/// The 95 % interval of the match weight of `level`, a level of `field`, in bits; none where m or
/// u is assumed.
///
/// By the delta method (Agresti 2013, section 3.1): m is the share of one level among the `N` pairs
/// of the field, so ln m has about the variance (1 - m) / (m N), and so has ln u. The two are
/// counted on different pairs, so the variance of their difference is the sum.
pub fn weight_interval(field: &FieldModel, level: &LevelModel) -> Option<(f64, f64)> {
    if level.n_m <= 0.0 || level.n_u <= 0.0 {
        return None;
    }
    let total = |count: fn(&LevelModel) -> f64| field.levels.iter().map(count).sum::<f64>();
    let variance = |share: f64, n_pairs: f64| (1.0 - share) / (share * n_pairs);
    let variance = variance(level.m, total(|l| l.n_m)) + variance(level.u, total(|l| l.n_u));
    let half = Z_95 * variance.sqrt() / std::f64::consts::LN_2;
    let weight = level.weight().0;
    Some((weight - half, weight + half))
}

#[cfg(test)]
mod tests {
    use linkage::Level;

    use super::*;

    fn level(level: Level, m: f64, u: f64, n_m: f64, n_u: f64) -> LevelModel {
        LevelModel { level, m, u, h: u, t: u, n_m, n_u }
    }

    fn field(n_m: f64, n_u: f64) -> FieldModel {
        let levels = vec![
            level(Level::Exact, 0.8, 0.1, 0.8 * n_m, 0.1 * n_u),
            level(Level::Differ, 0.2, 0.9, 0.2 * n_m, 0.9 * n_u),
        ];
        FieldModel { name: "sex".to_owned(), levels }
    }

    #[test]
    fn the_interval_is_that_of_the_delta_method() {
        let field = field(100.0, 900.0);
        let (low, high) = weight_interval(&field, &field.levels[0]).unwrap();
        // Var = 0.2 / (0.8 * 100) + 0.9 / (0.1 * 900) = 0.0125; 1.96 * sqrt(Var) / ln 2 = 0.31615.
        assert!((low - (3.0 - 0.31615)).abs() < 1e-4, "{low}");
        assert!((high - (3.0 + 0.31615)).abs() < 1e-4, "{high}");
    }

    #[test]
    fn four_times_the_pairs_halve_the_interval() {
        let width = |field: &FieldModel| {
            let (low, high) = weight_interval(field, &field.levels[1]).unwrap();
            high - low
        };
        let ratio = width(&field(100.0, 900.0)) / width(&field(400.0, 3600.0));
        assert!((ratio - 2.0).abs() < 1e-9, "{ratio}");
    }

    #[test]
    fn what_is_assumed_has_no_interval() {
        for (n_m, n_u) in [(0.0, 900.0), (100.0, 0.0)] {
            let field = field(n_m, n_u);
            assert_eq!(weight_interval(&field, &field.levels[0]), None);
        }
    }
}
