//! Peers as libraries: from one buffer into another, on the same bytes.

use std::error::Error;
use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, Mutex};

use aead_stream::{DecryptorBE32, EncryptorBE32};
use aes_gcm::{Aes256Gcm, KeyInit};
use bulla::{Key, Options, Workers};
use bytes::Bytes;
use rand::RngCore;
use tink_core::StreamingAead;
use tink_proto::HashType;
use tink_streaming_aead::subtle::AesGcmHkdf;

use crate::pairs::{Effort, in_turn, time};
use crate::settings::Settings;
use crate::sheet::{Part, Row, Sheet};

type Done = Result<Vec<u8>, Box<dyn Error>>;

/// A peer. Both ways, it appends to an empty vector that has the room, and gives it back.
trait Library {
    fn name(&self) -> &'static str;
    fn seal(&self, plaintext: &[u8], room: Vec<u8>) -> Done;
    fn open(&self, sealed: &Bytes, room: Vec<u8>) -> Done;
}

/// Adds rows for each library, on one thread and on all.
pub(crate) fn compare(sheet: &mut Sheet, settings: &Settings) -> io::Result<()> {
    let mut plaintext = vec![0; settings.memory];
    rand::rng().fill_bytes(&mut plaintext);
    // There are many rows, and in memory times vary little.
    let effort = Effort { seconds: settings.effort.seconds / 2.0, ..settings.effort };
    let libraries: [Box<dyn Library>; 4] = [
        Box::new(Age::new()),
        Box::new(Mla::new().map_err(io::Error::other)?),
        Box::new(Stream::new()),
        Box::new(Tink::new().map_err(|why| io::Error::other(why.to_string()))?),
    ];
    for library in &libraries {
        compare_one(sheet, &plaintext, &**library, effort)
            .map_err(|why| io::Error::other(format!("{}: {why}", library.name())))?;
    }
    Ok(())
}

fn compare_one(
    sheet: &mut Sheet,
    plaintext: &[u8],
    library: &dyn Library,
    effort: Effort,
) -> Result<(), Box<dyn Error>> {
    let key = Key::generate()?;
    let cores = std::thread::available_parallelism()?.get();
    let room = || Vec::with_capacity(plaintext.len() + (plaintext.len() >> 8) + (1 << 20));
    let mut theirs = library.seal(plaintext, room())?;
    let to_open = Bytes::copy_from_slice(&theirs);
    let mut their_plain = library.open(&to_open, room())?;
    if their_plain != plaintext {
        return Err("it gives back something else".into());
    }
    let mut kinds = vec![(1, Workers::Serial)];
    if cores > 1 {
        kinds.push((cores, Workers::Ambient));
    }
    for (threads, workers) in kinds {
        let options = Options::new().workers(workers);
        let mut ours = vec![0; bulla::sealed_len(plaintext.len() as u64, &options)? as usize];
        let mut our_plain = vec![0; plaintext.len()];
        // The first run of each warms up; theirs had it.
        bulla::seal_into(&key, plaintext, &mut ours, &options)?;
        bulla::open_into(&key, &ours, &mut our_plain, &options)?;
        if our_plain != plaintext {
            return Err("bulla gives back something else".into());
        }
        let seal = in_turn(
            effort,
            &mut || {
                let mut done = Ok(());
                let taken = time(|| done = bulla::seal_into(&key, plaintext, &mut ours, &options));
                done.map(|()| taken).map_err(io::Error::other)
            },
            &mut || timed(&mut theirs, |room| library.seal(plaintext, room)),
        )?;
        let open = in_turn(
            effort,
            &mut || {
                let mut done = Ok(());
                let taken = time(|| {
                    done = bulla::open_into(&key, &ours, &mut our_plain, &options).map(drop)
                });
                done.map(|()| taken).map_err(io::Error::other)
            },
            &mut || timed(&mut their_plain, |room| library.open(&to_open, room)),
        )?;
        let plural = if threads == 1 { "" } else { "s" };
        for (verb, pair) in [("seal", seal), ("open", open)] {
            sheet.row(Row {
                part: Part::Libraries,
                what: format!("{verb}, {threads} thread{plural}"),
                peer: library.name().to_owned(),
                ours: format!("bulla::{verb}_into"),
                theirs: library.name().to_owned(),
                bytes: plaintext.len() as u64,
                asked: None,
                outcome: Ok(pair),
                kept: None,
            });
        }
    }
    Ok(())
}

/// The time of one call into memory that was used before.
fn timed(
    buffer: &mut Vec<u8>,
    work: impl FnOnce(Vec<u8>) -> Done,
) -> io::Result<std::time::Duration> {
    let mut room = std::mem::take(buffer);
    room.clear();
    let mut done = Ok(Vec::new());
    let taken = time(|| done = work(room));
    *buffer = done.map_err(|why| io::Error::other(why.to_string()))?;
    Ok(taken)
}

/// age, to an X25519 recipient.
struct Age(age::x25519::Identity);

impl Age {
    fn new() -> Age {
        Age(age::x25519::Identity::generate())
    }
}

impl Library for Age {
    fn name(&self) -> &'static str {
        "age 0.12"
    }

    fn seal(&self, plaintext: &[u8], room: Vec<u8>) -> Done {
        let recipient = self.0.to_public();
        let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as _))?;
        let mut writer = encryptor.wrap_output(room)?;
        writer.write_all(plaintext)?;
        Ok(writer.finish()?)
    }

    fn open(&self, sealed: &Bytes, mut room: Vec<u8>) -> Done {
        let decryptor = age::Decryptor::new_buffered(&**sealed)?;
        let mut reader = decryptor.decrypt(std::iter::once(&self.0 as _))?;
        reader.read_to_end(&mut room)?;
        Ok(room)
    }
}

/// MLA: one entry, neither compressed nor signed.
struct Mla {
    private: mla::crypto::mlakey::MLAPrivateKey,
    public: mla::crypto::mlakey::MLAPublicKey,
}

impl Mla {
    fn new() -> Result<Mla, Box<dyn Error + Send + Sync>> {
        let (private, public) =
            mla::crypto::mlakey::generate_mla_keypair().map_err(|why| format!("{why:?}"))?;
        Ok(Mla { private, public })
    }

    fn entry() -> Result<mla::entry::EntryName, Box<dyn Error>> {
        mla::entry::EntryName::from_path("plain").map_err(|why| format!("{why:?}").into())
    }
}

impl Library for Mla {
    fn name(&self) -> &'static str {
        "mla 2.1"
    }

    fn seal(&self, plaintext: &[u8], room: Vec<u8>) -> Done {
        let public = self.public.get_encryption_public_key().clone();
        let config = mla::config::ArchiveWriterConfig::with_encryption_without_signature(&[public])
            .map_err(|why| format!("{why:?}"))?
            .without_compression();
        let mut writer =
            mla::ArchiveWriter::from_config(room, config).map_err(|why| format!("{why:?}"))?;
        writer
            .add_entry(Mla::entry()?, plaintext.len() as u64, plaintext)
            .map_err(|why| format!("{why:?}"))?;
        writer.finalize().map_err(|why| format!("{why:?}").into())
    }

    fn open(&self, sealed: &Bytes, mut room: Vec<u8>) -> Done {
        let private = self.private.get_decryption_private_key().clone();
        let config = mla::config::ArchiveReaderConfig::without_signature_verification()
            .with_encryption(&[private]);
        let (mut reader, _) = mla::ArchiveReader::from_config(Cursor::new(sealed), config)
            .map_err(|why| format!("{why:?}"))?;
        let entry = reader.get_entry(Mla::entry()?).map_err(|why| format!("{why:?}"))?;
        let mut entry = entry.ok_or("the entry is not there")?;
        io::copy(&mut entry.data, &mut room)?;
        Ok(room)
    }
}

/// RustCrypto's AES-256-GCM in its STREAM construction, in chunks of 64 KiB.
struct Stream {
    key: aes_gcm::Key<Aes256Gcm>,
    nonce: aead_stream::Nonce<Aes256Gcm, aead_stream::StreamBE32<Aes256Gcm>>,
}

const CHUNK: usize = 64 << 10;

impl Stream {
    fn new() -> Stream {
        let mut stream = Stream { key: Default::default(), nonce: Default::default() };
        rand::rng().fill_bytes(&mut stream.key);
        rand::rng().fill_bytes(&mut stream.nonce);
        stream
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.key)
    }
}

impl Library for Stream {
    fn name(&self) -> &'static str {
        "aes-gcm 0.11 with aead-stream 0.6"
    }

    fn seal(&self, plaintext: &[u8], mut room: Vec<u8>) -> Done {
        let mut encryptor = EncryptorBE32::from_aead(self.cipher(), &self.nonce);
        let mut buffer = Vec::with_capacity(CHUNK + 16);
        let last = plaintext.len().saturating_sub(1) / CHUNK * CHUNK;
        for chunk in plaintext[..last].chunks(CHUNK) {
            buffer.clear();
            buffer.extend_from_slice(chunk);
            encryptor.encrypt_next_in_place(&[], &mut buffer).map_err(|_| "it does not seal")?;
            room.extend_from_slice(&buffer);
        }
        buffer.clear();
        buffer.extend_from_slice(&plaintext[last..]);
        encryptor.encrypt_last_in_place(&[], &mut buffer).map_err(|_| "it does not seal")?;
        room.extend_from_slice(&buffer);
        Ok(room)
    }

    fn open(&self, sealed: &Bytes, mut room: Vec<u8>) -> Done {
        let mut decryptor = DecryptorBE32::from_aead(self.cipher(), &self.nonce);
        let mut buffer = Vec::with_capacity(CHUNK + 16);
        let last = sealed.len().saturating_sub(1) / (CHUNK + 16) * (CHUNK + 16);
        for chunk in sealed[..last].chunks(CHUNK + 16) {
            buffer.clear();
            buffer.extend_from_slice(chunk);
            decryptor.decrypt_next_in_place(&[], &mut buffer).map_err(|_| "it does not open")?;
            room.extend_from_slice(&buffer);
        }
        buffer.clear();
        buffer.extend_from_slice(&sealed[last..]);
        decryptor.decrypt_last_in_place(&[], &mut buffer).map_err(|_| "it does not open")?;
        room.extend_from_slice(&buffer);
        Ok(room)
    }
}

/// Tink's streaming AEAD: AES-256-GCM with HKDF, in segments of 1 MiB.
struct Tink(AesGcmHkdf);

impl Tink {
    fn new() -> Result<Tink, tink_core::TinkError> {
        let mut key = [0; 32];
        rand::rng().fill_bytes(&mut key);
        AesGcmHkdf::new(&key, HashType::Sha256, 32, 1 << 20, 0).map(Tink)
    }
}

/// A vector that can be taken back from who wants to own what it writes to.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn with(&self) -> io::Result<std::sync::MutexGuard<'_, Vec<u8>>> {
        self.0.lock().map_err(|_| io::Error::other("a writer panicked"))
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with()?.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Library for Tink {
    fn name(&self) -> &'static str {
        "tink-streaming-aead 0.3"
    }

    fn seal(&self, plaintext: &[u8], room: Vec<u8>) -> Done {
        let output = Shared::default();
        *output.with()? = room;
        let mut writer = self.0.new_encrypting_writer(Box::new(output.clone()), &[])?;
        writer.write_all(plaintext)?;
        writer.close()?;
        let sealed = std::mem::take(&mut *output.with()?);
        Ok(sealed)
    }

    fn open(&self, sealed: &Bytes, mut room: Vec<u8>) -> Done {
        self.0
            .new_decrypting_reader(Box::new(Cursor::new(sealed.clone())), &[])?
            .read_to_end(&mut room)?;
        Ok(room)
    }
}
