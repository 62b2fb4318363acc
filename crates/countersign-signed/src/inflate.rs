//! zlib, with a limit on what comes out. Whoever has the key could still send a bomb.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

use crate::Refused;

/// The most bytes that a compressed value may become.
pub const MOST: usize = 1024 * 1024;
/// How many times its length a compressed value may become, past [`FREE`].
pub const RATIO: usize = 100;
/// What a compressed value may become whatever its length: short texts of one letter repeated are no attack.
pub const FREE: usize = 64 * 1024;

/// Decompresses, and stops where the limit is: memory does not go past it.
pub(crate) fn inflate(compressed: &[u8]) -> Result<Vec<u8>, Refused> {
    let limit = compressed.len().saturating_mul(RATIO).clamp(FREE, MOST);
    decompress_to_vec_zlib_with_limit(compressed, limit).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => Refused::TooLarge,
        _ => Refused::Malformed,
    })
}

/// Compresses, where that saves more than the mark that says so costs.
pub(crate) fn deflate_if_shorter(data: &[u8]) -> Option<Vec<u8>> {
    let compressed = compress_to_vec_zlib(data, LEVEL);
    let readable = data.len() <= compressed.len().saturating_mul(RATIO).clamp(FREE, MOST);
    (readable && compressed.len().saturating_add(1) < data.len()).then_some(compressed)
}

/// zlib's own default.
const LEVEL: u8 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_34_what_a_value_may_become_has_a_limit() {
        let bomb = |size: usize| compress_to_vec_zlib(&vec![b' '; size], 9);
        assert_eq!(inflate(&bomb(50 * MOST)), Err(Refused::TooLarge));
        assert_eq!(inflate(&bomb(FREE)).map(|data| data.len()), Ok(FREE));
        // Past what is free the ratio counts: a thousandfold is refused long before the megabyte.
        assert_eq!(inflate(&bomb(FREE + 64 * 1024)), Err(Refused::TooLarge));
        let dense: Vec<u8> = (0..MOST).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[5]).collect();
        assert_eq!(inflate(&compress_to_vec_zlib(&dense, 1)).map(|data| data.len()), Ok(MOST));
        let more = [dense, vec![0; 1]].concat();
        assert_eq!(inflate(&compress_to_vec_zlib(&more, 1)), Err(Refused::TooLarge));
    }

    #[test]
    fn what_is_no_zlib_is_malformed() {
        let whole = compress_to_vec_zlib(&[b'x'; 1000], 6);
        for cut in 0..whole.len() {
            assert_eq!(inflate(&whole[..cut]), Err(Refused::Malformed), "{cut}");
        }
        let mut wrong_sum = whole.clone();
        *wrong_sum.last_mut().unwrap() ^= 1;
        assert_eq!(inflate(&wrong_sum), Err(Refused::Malformed));
    }

    #[test]
    fn what_we_compress_we_read() {
        for size in [0, 1, 10, 100, 5_000, FREE, FREE + 1, 200_000, MOST] {
            let data = vec![b'a'; size];
            if let Some(compressed) = deflate_if_shorter(&data) {
                assert_eq!(inflate(&compressed), Ok(data), "{size}");
            }
        }
        assert_eq!(deflate_if_shorter(&[b'a'; 8]), None);
        assert!(deflate_if_shorter(&[b'a'; 1000]).is_some());
    }
}
