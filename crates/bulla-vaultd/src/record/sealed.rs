//! The sealed record: what a guess is tested against, and what a right one gets. All have one size.
//!
//! ```text
//! stored:   0 "BSEC" 1 0 0 0 | 8 epoch 4 | 12 nonce 12 | 24 ciphertext 384 | 408 tag 16
//! sealed:   0 kind 1, zeros 7 | 8 rk 32 | 40 passes, memory, lanes 12 | 52 upload 192 | 244 wrapped key 48 | 292 zeros 92
//! ```
//!
//! The associated data is the stored record's first 12 bytes, the account and the registration: a
//! record that lies under another name, or says another epoch, does not open.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::codec::{Reader, Writer};
use super::{Account, DecodeError, RegId};

const MAGIC: [u8; 8] = *b"BSEC\x01\0\0\0";
const UPLOAD_LEN: usize = 192;
const WRAPPED_KEY_LEN: usize = 48;
const USED_LEN: usize = 8 + 32 + 12 + UPLOAD_LEN + WRAPPED_KEY_LEN;

/// Bytes that are sealed.
pub const PLAIN_LEN: usize = 384;
/// Bytes of ciphertext and tag.
pub const CIPHERTEXT_LEN: usize = PLAIN_LEN + 16;
/// Bytes of a stored record.
pub const STORED_LEN: usize = 24 + CIPHERTEXT_LEN;

/// What a sealed record holds.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Content {
    /// Whether there is no registration behind it, and it is here for an unknown one to be
    /// answered like a known one.
    pub stand_in: bool,
    /// The registration's random number, from which its OPRF key comes.
    pub rk: [u8; 32],
    /// Passes, KiB and lanes of Argon2id.
    pub stretching: [u32; 3],
    /// OPAQUE's registration record.
    pub upload: [u8; UPLOAD_LEN],
    /// The backup key, wrapped by the client.
    pub wrapped_key: [u8; WRAPPED_KEY_LEN],
}

impl Content {
    /// The bytes to be sealed, always [`PLAIN_LEN`] of them.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::with_capacity(PLAIN_LEN);
        writer.u8(self.stand_in.into()).zeros(7).bytes(&self.rk);
        self.stretching.iter().for_each(|&number| _ = writer.u32(number));
        writer.bytes(&self.upload).bytes(&self.wrapped_key).zeros(PLAIN_LEN - USED_LEN);
        Zeroizing::new(writer.finish())
    }

    /// What sealed bytes hold.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], for everything that [`encode`](Self::encode) does not write.
    pub fn decode(bytes: &[u8]) -> Result<Content, DecodeError> {
        let mut reader = Reader::exactly(bytes, PLAIN_LEN)?;
        let fault = reader.malformed();
        let stand_in = match reader.u8()? {
            0 => false,
            1 => true,
            _ => return Err(fault),
        };
        reader.zeros(7)?;
        let rk = reader.array()?;
        let stretching = [reader.u32()?, reader.u32()?, reader.u32()?];
        let upload = reader.array()?;
        let wrapped_key = reader.array()?;
        reader.zeros(PLAIN_LEN - USED_LEN)?;
        Ok(Content { stand_in, rk, stretching, upload, wrapped_key })
    }
}

/// A stored record, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The epoch whose key it is sealed under.
    pub epoch: u32,
    /// The nonce.
    pub nonce: [u8; 12],
    /// Ciphertext and tag.
    pub ciphertext: Vec<u8>,
}

impl Stored {
    /// The stored bytes, always [`STORED_LEN`] of them.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(STORED_LEN);
        writer.bytes(&MAGIC).u32(self.epoch).bytes(&self.nonce).bytes(&self.ciphertext);
        writer.finish()
    }

    /// The stored record that bytes are.
    ///
    /// # Errors
    ///
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Stored, DecodeError> {
        let mut reader = Reader::exactly(bytes, STORED_LEN)?;
        if reader.array()? != MAGIC {
            return Err(DecodeError::UnknownVersion);
        }
        let epoch = reader.u32()?;
        let nonce = reader.array()?;
        Ok(Stored { epoch, nonce, ciphertext: reader.slice(CIPHERTEXT_LEN)?.to_vec() })
    }
}

/// The associated data of a record.
pub fn associated_data(epoch: u32, account: &Account, reg_id: &RegId) -> Vec<u8> {
    let mut writer = Writer::with_capacity(76);
    writer.bytes(&MAGIC).u32(epoch).bytes(account).bytes(reg_id);
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_one_size() {
        for byte in [0, 7, 255] {
            let content = Content {
                stand_in: byte == 7,
                rk: [byte; 32],
                stretching: [3, 65_536, 4],
                upload: [byte; 192],
                wrapped_key: [byte; 48],
            };
            let encoded = content.encode();
            assert_eq!(encoded.len(), PLAIN_LEN);
            assert!(Content::decode(&encoded).unwrap() == content);

            let stored =
                Stored { epoch: 5, nonce: [byte; 12], ciphertext: vec![byte; CIPHERTEXT_LEN] };
            assert_eq!(stored.encode().len(), STORED_LEN);
            assert_eq!(Stored::decode(&stored.encode()), Ok(stored));
        }
    }

    #[test]
    fn faults_are_named() {
        let stored =
            Stored { epoch: 5, nonce: [1; 12], ciphertext: vec![1; CIPHERTEXT_LEN] }.encode();
        assert_eq!(
            Stored::decode(&stored[1..]),
            Err(DecodeError::Length { found: STORED_LEN - 1, expected: STORED_LEN })
        );
        let mut other = stored.clone();
        other[4] = 2;
        assert_eq!(Stored::decode(&other), Err(DecodeError::UnknownVersion));

        let mut plain = vec![0; PLAIN_LEN];
        plain[0] = 2;
        assert_eq!(Content::decode(&plain).err(), Some(DecodeError::Malformed { offset: 0 }));
        plain[0] = 0;
        plain[PLAIN_LEN - 1] = 1;
        assert_eq!(
            Content::decode(&plain).err(),
            Some(DecodeError::Malformed { offset: USED_LEN })
        );
    }
}
