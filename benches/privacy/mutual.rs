//! One-to-one choices from a table of scores.

/// A row and a column that score best from either side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// By how much the score leads over the second best of the row and of the column.
    pub lead: f32,
    /// The row.
    pub row: usize,
    /// The column.
    pub column: usize,
}

/// The best score so far, where it stands, and the second best.
#[derive(Clone)]
struct Best {
    place: usize,
    first: f32,
    second: f32,
}

/// The pairs of `scores` that are each other's best, those first that lead most.
pub fn mutual_best(scores: &[Vec<f32>]) -> Vec<Pair> {
    let width = scores.first().map_or(0, Vec::len);
    let mut of_columns = vec![Best::none(); width];
    for (row, scores) in scores.iter().enumerate() {
        of_columns.iter_mut().zip(scores).for_each(|(best, score)| best.offer(row, *score));
    }
    let mut pairs = Vec::new();
    for (row, scores) in scores.iter().enumerate() {
        let mut best = Best::none();
        scores.iter().enumerate().for_each(|(column, score)| best.offer(column, *score));
        let column = best.place;
        if of_columns.get(column).is_some_and(|back| back.place == row) {
            let lead = best.lead().min(of_columns[column].lead());
            pairs.push(Pair { lead, row, column });
        }
    }
    pairs.sort_by(|a, b| b.lead.total_cmp(&a.lead).then(a.row.cmp(&b.row)));
    pairs
}

impl Best {
    fn none() -> Self {
        Self { place: 0, first: f32::NEG_INFINITY, second: f32::NEG_INFINITY }
    }

    fn offer(&mut self, place: usize, score: f32) {
        if score > self.first {
            (self.second, self.first, self.place) = (self.first, score, place);
        } else {
            self.second = self.second.max(score);
        }
    }

    fn lead(&self) -> f32 {
        self.first - self.second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mutual_choices_count_and_the_clearest_comes_first() {
        let scores = vec![vec![5.0, 4.0, 0.0], vec![6.0, 1.0, 2.0], vec![0.0, 1.0, 9.0]];
        let pairs = mutual_best(&scores);
        // Row 0 prefers column 0, which prefers row 1.
        assert_eq!(
            pairs,
            [Pair { lead: 7.0, row: 2, column: 2 }, Pair { lead: 1.0, row: 1, column: 0 },]
        );
        assert_eq!(mutual_best(&[]), []);
    }
}
