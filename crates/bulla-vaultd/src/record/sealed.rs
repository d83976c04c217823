//! The sealed record: the data needed to test a guess, and the wrapped key that a correct guess
//! releases. All sealed records have the same size.
//!
//! ```text
//! stored:  0 "BSEC" 1 0 0 0 | 8 epoch 4 | 12 nonce 12 | 24 ciphertext 384 | 408 tag 16
//! sealed:  0 kind 1, zeros 7 | 8 rk 32 | 40 passes, memory, lanes 12 | 52 upload 192
//!          244 wrapped key 48 | 292 zeros 92
//! ```
//!
//! The associated data consists of the first 12 bytes of the stored record, the account and the
//! registration. A record that was moved to another key or claims another epoch cannot be opened.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::codec::{Reader, Writer};
use super::{Account, DecodeError, RegId};

const MAGIC: [u8; 8] = *b"BSEC\x01\0\0\0";
const UPLOAD_LEN: usize = 192;
const WRAPPED_KEY_LEN: usize = 48;
const USED_LEN: usize = 8 + 32 + 12 + UPLOAD_LEN + WRAPPED_KEY_LEN;

/// Bytes in a sealed record's plaintext.
pub const PLAIN_LEN: usize = 384;
/// Bytes in a sealed record's ciphertext and tag.
pub const CIPHERTEXT_LEN: usize = PLAIN_LEN + 16;
/// Bytes in a stored sealed record.
pub const STORED_LEN: usize = 24 + CIPHERTEXT_LEN;

/// A sealed record's plaintext.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RecordContent {
    /// Whether this is a stand-in, which belongs to no registration and makes the vault answer for
    /// an unknown registration as it does for a known one (V-8.5).
    pub stand_in: bool,
    /// The registration's random number, from which its OPRF key is derived.
    pub rk: [u8; 32],
    /// Argon2id parameters: passes, memory in KiB, and lanes.
    pub stretching: [u32; 3],
    /// The OPAQUE registration record.
    pub upload: [u8; UPLOAD_LEN],
    /// The backup key, wrapped by the client.
    pub wrapped_key: [u8; WRAPPED_KEY_LEN],
}

impl RecordContent {
    /// Encodes the plaintext, always to [`PLAIN_LEN`] bytes.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::with_capacity(PLAIN_LEN);
        writer.u8(self.stand_in.into()).zeros(7).bytes(&self.rk);
        self.stretching.iter().for_each(|&number| _ = writer.u32(number));
        writer.bytes(&self.upload).bytes(&self.wrapped_key).zeros(PLAIN_LEN - USED_LEN);
        Zeroizing::new(writer.finish())
    }

    /// Decodes a plaintext.
    ///
    /// # Errors
    ///
    /// Returns [`DecodeError`] for any bytes that [`encode`](Self::encode) would not write.
    pub fn decode(bytes: &[u8]) -> Result<RecordContent, DecodeError> {
        let mut reader = Reader::exactly(bytes, PLAIN_LEN)?;
        let unknown_kind = reader.malformed();
        let stand_in = match reader.u8()? {
            0 => false,
            1 => true,
            _ => return Err(unknown_kind),
        };
        reader.zeros(7)?;
        let rk = reader.array()?;
        let stretching = [reader.u32()?, reader.u32()?, reader.u32()?];
        let upload = reader.array()?;
        let wrapped_key = reader.array()?;
        reader.zeros(PLAIN_LEN - USED_LEN)?;
        Ok(RecordContent { stand_in, rk, stretching, upload, wrapped_key })
    }
}

/// A sealed record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRecord {
    /// The epoch whose key sealed it.
    pub epoch: u32,
    /// The nonce.
    pub nonce: [u8; 12],
    /// Ciphertext and tag.
    pub ciphertext: Vec<u8>,
}

impl SealedRecord {
    /// Encodes the record, always to [`STORED_LEN`] bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(STORED_LEN);
        writer.bytes(&MAGIC).u32(self.epoch).bytes(&self.nonce).bytes(&self.ciphertext);
        writer.finish()
    }

    /// Decodes a stored record.
    ///
    /// # Errors
    ///
    /// Returns [`DecodeError`] if the length or the magic is wrong.
    pub fn decode(bytes: &[u8]) -> Result<SealedRecord, DecodeError> {
        let mut reader = Reader::exactly(bytes, STORED_LEN)?;
        if reader.array()? != MAGIC {
            return Err(DecodeError::UnknownVersion);
        }
        let epoch = reader.u32()?;
        let nonce = reader.array()?;
        Ok(SealedRecord { epoch, nonce, ciphertext: reader.slice(CIPHERTEXT_LEN)?.to_vec() })
    }
}

/// Returns a sealed record's associated data.
pub fn associated_data(epoch: u32, account: &Account, reg_id: &RegId) -> Vec<u8> {
    let mut writer = Writer::with_capacity(76);
    writer.bytes(&MAGIC).u32(epoch).bytes(account).bytes(reg_id);
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_at_a_fixed_size() {
        for byte in [0, 7, 255] {
            let content = RecordContent {
                stand_in: byte == 7,
                rk: [byte; 32],
                stretching: [3, 65_536, 4],
                upload: [byte; 192],
                wrapped_key: [byte; 48],
            };
            let encoded = content.encode();
            assert_eq!(encoded.len(), PLAIN_LEN);
            assert!(RecordContent::decode(&encoded).unwrap() == content);

            let stored = SealedRecord {
                epoch: 5,
                nonce: [byte; 12],
                ciphertext: vec![byte; CIPHERTEXT_LEN],
            };
            assert_eq!(stored.encode().len(), STORED_LEN);
            assert_eq!(SealedRecord::decode(&stored.encode()), Ok(stored));
        }
    }

    #[test]
    fn reports_length_version_and_offset_of_a_bad_record() {
        let stored =
            SealedRecord { epoch: 5, nonce: [1; 12], ciphertext: vec![1; CIPHERTEXT_LEN] }.encode();
        assert_eq!(
            SealedRecord::decode(&stored[1..]),
            Err(DecodeError::Length { found: STORED_LEN - 1, expected: STORED_LEN })
        );
        let mut other = stored.clone();
        other[4] = 2;
        assert_eq!(SealedRecord::decode(&other), Err(DecodeError::UnknownVersion));

        let mut plain = vec![0; PLAIN_LEN];
        plain[0] = 2;
        assert_eq!(RecordContent::decode(&plain).err(), Some(DecodeError::Malformed { offset: 0 }));
        plain[0] = 0;
        plain[PLAIN_LEN - 1] = 1;
        assert_eq!(
            RecordContent::decode(&plain).err(),
            Some(DecodeError::Malformed { offset: USED_LEN })
        );
    }
}
