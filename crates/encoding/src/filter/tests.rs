//! What filters promise: equal for equal texts, correlated for similar ones, diffused for all.

use hmac::KeyInit;

use super::*;

fn key(byte: u8) -> Hmac<Sha256> {
    Hmac::new_from_slice(&[byte; 32]).unwrap()
}

fn encoder(bits: u32, grams: u8, positional: bool, hashes: u8) -> FilterEncoder {
    let shape = FilterShape { bits, grams, positional, hashes, diffusion: 10 };
    FilterEncoder::new(shape, key(1), &key(2))
}

/// The correlation (phi coefficient) of two filters.
fn correlation(a: &Filter, b: &Filter) -> f64 {
    let n = a.0.len() as f64 * 64.0;
    let (p, q) = (f64::from(a.popcount()) / n, f64::from(b.popcount()) / n);
    let both: u32 = a.0.iter().zip(&b.0).map(|(a, b)| (a & b).count_ones()).sum();
    (f64::from(both) / n - p * q) / (p * (1.0 - p) * q * (1.0 - q)).sqrt()
}

#[test]
fn correlation_falls_with_the_number_of_typing_errors() {
    let names = encoder(512, 2, false, 6);
    let dates = encoder(512, 1, true, 6);
    for (encoder, left, right, lowest, highest) in [
        (&names, "martinez", "martinez", 1.0, 1.0),
        (&names, "martinez", "martines", 0.3, 0.6),
        (&names, "martinez", "martinz", 0.35, 0.65),
        (&names, "martinez", "mortines", 0.05, 0.35),
        (&names, "martinez", "johnson", -0.15, 0.15),
        (&names, "山田太郎", "山田太郎", 1.0, 1.0),
        (&names, "山田太郎", "山田次郎", 0.1, 0.6),
        (&dates, "19560409", "19560408", 0.5, 0.75),
        (&dates, "19560409", "19650409", 0.3, 0.5),
        (&dates, "19560409", "20011231", -0.15, 0.15),
    ] {
        let found = correlation(&encoder.encode(left), &encoder.encode(right));
        assert!((lowest..=highest).contains(&found), "{left} {right}: {found}");
    }
}

#[test]
fn density_says_little_about_the_length_of_a_name() {
    let names = encoder(512, 2, false, 6);
    for (text, lowest, highest) in
        [("li", 0.2, 0.4), ("smith", 0.33, 0.45), ("featherstonehaugh", 0.43, 0.57)]
    {
        let density = f64::from(names.encode(text).popcount()) / 512.0;
        assert!((lowest..=highest).contains(&density), "{text}: {density}");
    }
}

#[test]
fn each_output_bit_has_its_own_distinct_input_bits_and_each_input_bit_about_as_many_outputs() {
    for bits in [192, 512, 1024] {
        let shape = FilterShape { bits, grams: 2, positional: false, hashes: 6, diffusion: 10 };
        let columns = diffusion_columns(&shape, &key(2));
        let n_bits = bits as usize;
        let mut inputs = vec![0; n_bits];
        let mut outputs = vec![0; n_bits.next_multiple_of(64 * LANES)];
        for (place, column) in columns.iter().enumerate() {
            let (block, input) = (place / n_bits, place % n_bits);
            for (lane, word) in column.iter().enumerate() {
                inputs[input] += word.count_ones();
                for bit in (0..64).filter(|bit| word >> bit & 1 == 1) {
                    outputs[(block * LANES + lane) * 64 + bit] += 1;
                }
            }
        }
        // A repeated input bit would cancel itself and leave an output with fewer.
        assert!(outputs[..n_bits].iter().all(|taps| *taps == 10));
        assert!(outputs[n_bits..].iter().all(|taps| *taps == 0));
        assert!(inputs.iter().all(|feeds| (7..=11).contains(feeds)), "{inputs:?}");
    }
}

#[test]
fn the_table_of_common_grams_holds_what_hashing_gives() {
    for (grams, positional) in [(1, false), (1, true), (2, false), (2, true)] {
        let encoder = encoder(512, grams, positional, 20);
        for text in ["a", "smith", "12 oak st", "19560409"] {
            for_each_gram(text, usize::from(grams), |index, gram| {
                let place = if positional { index + 1 } else { 0 };
                let hashed: Vec<_> = encoder.gram_positions(place, gram).collect();
                assert_eq!(encoder.table_row(place, gram), Some(hashed.as_slice()));
            });
        }
        assert_eq!(encoder.table_row(TABLE_PLACES + 1, &['a'; 2]), None);
        assert_eq!(encoder.table_row(1, &['é'; 2]), None);
    }
}

#[test]
fn filters_of_every_length_are_made() {
    for bits in (64..=4096).step_by(576) {
        let filter = encoder(bits, 3, false, 1).encode("martinez");
        assert_eq!(filter.0.len() * 64, bits as usize);
        assert!(filter.popcount() > 0);
    }
}
