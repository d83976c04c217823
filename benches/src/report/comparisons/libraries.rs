//! Comparison with other libraries, from one buffer into another on the same bytes.

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

use crate::measure::alternate::{Effort, alternate_pair, time};
use crate::measure::results::{Results, Row, Table};
use crate::measure::settings::Settings;

type Output = Result<Vec<u8>, Box<dyn Error>>;

/// A peer.
///
/// Both operations append to an empty vector that has enough capacity, and return it.
trait Library {
    fn name(&self) -> &'static str;
    fn seal(&self, plaintext: &[u8], output: Vec<u8>) -> Output;
    fn open(&self, sealed: &Bytes, output: Vec<u8>) -> Output;
}

/// Adds rows for each library, with bulla on one thread and on all threads.
pub(crate) fn compare(results: &mut Results, settings: &Settings) -> io::Result<()> {
    let mut plaintext = vec![0; settings.memory];
    rand::rng().fill_bytes(&mut plaintext);
    // Half the time is enough: times in memory vary little, and this comparison has many rows.
    let effort = Effort { max_seconds: settings.effort.max_seconds / 2.0, ..settings.effort };
    let libraries: [Box<dyn Library>; 4] = [
        Box::new(Age::new()),
        Box::new(Mla::new().map_err(io::Error::other)?),
        Box::new(Stream::new()),
        Box::new(Tink::new().map_err(|error| io::Error::other(error.to_string()))?),
    ];
    for library in &libraries {
        compare_one(results, &plaintext, &**library, effort)
            .map_err(|error| io::Error::other(format!("{}: {error}", library.name())))?;
    }
    Ok(())
}

fn compare_one(
    results: &mut Results,
    plaintext: &[u8],
    library: &dyn Library,
    effort: Effort,
) -> Result<(), Box<dyn Error>> {
    let key = Key::generate()?;
    let cores = std::thread::available_parallelism()?.get();
    let empty = || Vec::with_capacity(plaintext.len() + (plaintext.len() >> 8) + (1 << 20));
    let mut theirs = library.seal(plaintext, empty())?;
    let to_open = Bytes::copy_from_slice(&theirs);
    let mut their_plain = library.open(&to_open, empty())?;
    if their_plain != plaintext {
        return Err("the opened bytes differ from the plaintext".into());
    }
    let mut workers_of = vec![(1, Workers::Serial)];
    if cores > 1 {
        workers_of.push((cores, Workers::Ambient));
    }
    for (threads, workers) in workers_of {
        let options = Options::new().workers(workers);
        let mut ours = vec![0; bulla::sealed_len(plaintext.len() as u64, &options)? as usize];
        let mut our_plain = vec![0; plaintext.len()];
        // Warm up. The peer has already run once.
        bulla::seal_into(&key, plaintext, &mut ours, &options)?;
        bulla::open_into(&key, &ours, &mut our_plain, &options)?;
        if our_plain != plaintext {
            return Err("bulla: the opened bytes differ from the plaintext".into());
        }
        let seal = alternate_pair(
            effort,
            &mut || {
                let mut result = Ok(());
                let taken =
                    time(|| result = bulla::seal_into(&key, plaintext, &mut ours, &options));
                result.map(|()| taken).map_err(io::Error::other)
            },
            &mut || timed(&mut theirs, |output| library.seal(plaintext, output)),
        )?;
        let open = alternate_pair(
            effort,
            &mut || {
                let mut result = Ok(());
                let taken = time(|| {
                    result = bulla::open_into(&key, &ours, &mut our_plain, &options).map(drop)
                });
                result.map(|()| taken).map_err(io::Error::other)
            },
            &mut || timed(&mut their_plain, |output| library.open(&to_open, output)),
        )?;
        let plural = if threads == 1 { "" } else { "s" };
        for (verb, pair) in [("seal", seal), ("open", open)] {
            results.add_row(Row {
                table: Table::Libraries,
                operation: format!("{verb} in memory, {threads} thread{plural}"),
                peer: library.name().to_owned(),
                ours: format!("bulla::{verb}_into"),
                theirs: library.name().to_owned(),
                bytes: plaintext.len() as u64,
                target: None,
                outcome: Ok(pair),
                stored: None,
            });
        }
    }
    Ok(())
}

/// Returns the time of one call that writes into previously used memory.
fn timed(
    buffer: &mut Vec<u8>,
    operation: impl FnOnce(Vec<u8>) -> Output,
) -> io::Result<std::time::Duration> {
    let mut output = std::mem::take(buffer);
    output.clear();
    let mut result = Ok(Vec::new());
    let taken = time(|| result = operation(output));
    *buffer = result.map_err(|error| io::Error::other(error.to_string()))?;
    Ok(taken)
}

/// age with an X25519 recipient.
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

    fn seal(&self, plaintext: &[u8], output: Vec<u8>) -> Output {
        let recipient = self.0.to_public();
        let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as _))?;
        let mut writer = encryptor.wrap_output(output)?;
        writer.write_all(plaintext)?;
        Ok(writer.finish()?)
    }

    fn open(&self, sealed: &Bytes, mut output: Vec<u8>) -> Output {
        let decryptor = age::Decryptor::new_buffered(&**sealed)?;
        let mut reader = decryptor.decrypt(std::iter::once(&self.0 as _))?;
        reader.read_to_end(&mut output)?;
        Ok(output)
    }
}

/// MLA with one entry, neither compressed nor signed.
struct Mla {
    private: mla::crypto::mlakey::MLAPrivateKey,
    public: mla::crypto::mlakey::MLAPublicKey,
}

impl Mla {
    fn new() -> Result<Mla, Box<dyn Error + Send + Sync>> {
        let (private, public) =
            mla::crypto::mlakey::generate_mla_keypair().map_err(|error| format!("{error:?}"))?;
        Ok(Mla { private, public })
    }

    fn entry() -> Result<mla::entry::EntryName, Box<dyn Error>> {
        mla::entry::EntryName::from_path("plain").map_err(|error| format!("{error:?}").into())
    }
}

impl Library for Mla {
    fn name(&self) -> &'static str {
        "mla 2.1"
    }

    fn seal(&self, plaintext: &[u8], output: Vec<u8>) -> Output {
        let public = self.public.get_encryption_public_key().clone();
        let config =
            mla::config::ArchiveBuilderConfig::with_encryption_without_signature(&[public])
                .map_err(|error| format!("{error:?}"))?
                .without_compression();
        let mut writer = mla::ArchiveBuilder::from_config(output, config)
            .map_err(|error| format!("{error:?}"))?;
        writer
            .add_entry(Mla::entry()?, plaintext.len() as u64, plaintext)
            .map_err(|error| format!("{error:?}"))?;
        writer.finalize().map_err(|error| format!("{error:?}").into())
    }

    fn open(&self, sealed: &Bytes, mut output: Vec<u8>) -> Output {
        let private = self.private.get_decryption_private_key().clone();
        let config = mla::config::ArchiveReaderConfig::without_signature_verification()
            .with_encryption(&[private]);
        let (mut reader, _) = mla::ArchiveReader::from_config(Cursor::new(sealed), config)
            .map_err(|error| format!("{error:?}"))?;
        let entry = reader.get_entry(Mla::entry()?).map_err(|error| format!("{error:?}"))?;
        let mut entry = entry.ok_or("the entry does not exist")?;
        io::copy(&mut entry.data, &mut output)?;
        Ok(output)
    }
}

/// RustCrypto's AES-256-GCM in the STREAM construction, with 64 KiB chunks.
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

    fn seal(&self, plaintext: &[u8], mut output: Vec<u8>) -> Output {
        let mut encryptor = EncryptorBE32::from_aead(self.cipher(), &self.nonce);
        let mut buffer = Vec::with_capacity(CHUNK + 16);
        let last = plaintext.len().saturating_sub(1) / CHUNK * CHUNK;
        for chunk in plaintext[..last].chunks(CHUNK) {
            buffer.clear();
            buffer.extend_from_slice(chunk);
            encryptor.encrypt_next_in_place(&[], &mut buffer).map_err(|_| "sealing failed")?;
            output.extend_from_slice(&buffer);
        }
        buffer.clear();
        buffer.extend_from_slice(&plaintext[last..]);
        encryptor.encrypt_last_in_place(&[], &mut buffer).map_err(|_| "sealing failed")?;
        output.extend_from_slice(&buffer);
        Ok(output)
    }

    fn open(&self, sealed: &Bytes, mut output: Vec<u8>) -> Output {
        let mut decryptor = DecryptorBE32::from_aead(self.cipher(), &self.nonce);
        let mut buffer = Vec::with_capacity(CHUNK + 16);
        let last = sealed.len().saturating_sub(1) / (CHUNK + 16) * (CHUNK + 16);
        for chunk in sealed[..last].chunks(CHUNK + 16) {
            buffer.clear();
            buffer.extend_from_slice(chunk);
            decryptor.decrypt_next_in_place(&[], &mut buffer).map_err(|_| "opening failed")?;
            output.extend_from_slice(&buffer);
        }
        buffer.clear();
        buffer.extend_from_slice(&sealed[last..]);
        decryptor.decrypt_last_in_place(&[], &mut buffer).map_err(|_| "opening failed")?;
        output.extend_from_slice(&buffer);
        Ok(output)
    }
}

/// Tink's streaming AEAD: AES-256-GCM with HKDF and 1 MiB segments.
struct Tink(AesGcmHkdf);

impl Tink {
    fn new() -> Result<Tink, tink_core::TinkError> {
        let mut key = [0; 32];
        rand::rng().fill_bytes(&mut key);
        AesGcmHkdf::new(&key, HashType::Sha256, 32, 1 << 20, 0).map(Tink)
    }
}

/// A vector with shared ownership, because Tink's writer takes ownership of its output.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn lock(&self) -> io::Result<std::sync::MutexGuard<'_, Vec<u8>>> {
        self.0.lock().map_err(|_| io::Error::other("a writer panicked"))
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock()?.extend_from_slice(bytes);
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

    fn seal(&self, plaintext: &[u8], output: Vec<u8>) -> Output {
        let shared = Shared::default();
        *shared.lock()? = output;
        let mut writer = self.0.new_encrypting_writer(Box::new(shared.clone()), &[])?;
        writer.write_all(plaintext)?;
        writer.close()?;
        let sealed = std::mem::take(&mut *shared.lock()?);
        Ok(sealed)
    }

    fn open(&self, sealed: &Bytes, mut output: Vec<u8>) -> Output {
        self.0
            .new_decrypting_reader(Box::new(Cursor::new(sealed.clone())), &[])?
            .read_to_end(&mut output)?;
        Ok(output)
    }
}
