//! I/O that fails at a call that the fuzzer's input selects.

use std::io::{self, Read, Write};

use bulla::{ChunkSize, Error, Key, Opener, RangeReader, SalvageReader};

use crate::faulty::{Calls, Fault, Faulty};
use crate::library::{self, options};
use crate::oracles::known;
use crate::oracles::script::{Script, stretch};
use crate::reference::SealParams;

/// The injected operating system error: `EIO` on Linux.
const OS_ERROR: i32 = 5;

/// **Input: a description of a container and of a fault.** The fault is injected while sealing the
/// container and while opening it as a stream, for random access and for salvage.
///
/// - Interruptions and short reads and writes do not change the outcome.
/// - An error is passed on unchanged, including its code, even when it is converted to
///   [`io::Error`] and back. It is final: later calls return the same error.
/// - Bytes written or released before the error are a prefix of the fault-free output.
/// - A source that ends early results in an error or in salvaged chunks, never in wrong bytes.
pub fn faulty_io(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let what = script.byte();
    let n = u64::from(script.byte());
    let context = script.flag().then_some(known::CONTEXT);
    let envelope = stretch(b"envelope", script.byte().into());
    let write_len = script.within(1..=5000);
    let plaintext_len = script.within(0..=3 * 4096 + 2);
    let plaintext = stretch(script.rest(), plaintext_len);
    let params = SealParams {
        key: known::KEY,
        salt: known::SALT,
        chunk_log2: known::CHUNK_LOG2,
        content: 0,
        context,
        envelope: &envelope,
        plaintext: &plaintext,
    };
    let container = library::seal(&params);
    // Injects each kind of fault into one call, or into that call and all later ones. With a
    // permanent interruption, the operation would never return.
    let calls = || match what % 7 {
        0 => Calls::at(Fault::Os(OS_ERROR), n),
        1 => Calls::since(Fault::Os(OS_ERROR), n),
        2 => Calls::at(Fault::Interrupted, n),
        3 => Calls::at(Fault::Short, n),
        4 => Calls::since(Fault::Short, n),
        5 => Calls::at(Fault::Nothing, n),
        _ => Calls::since(Fault::Nothing, n),
    };
    let absorbed = matches!(what % 7, 2..=4);
    let case = Case { calls: &calls, absorbed };
    case.seal(&params, write_len, &container);
    case.open_stream(&container, context, write_len, &plaintext);
    case.open_ranges(&container, context, &plaintext);
    case.salvage(&container, context, &plaintext);
}

struct Case<'c> {
    calls: &'c dyn Fn() -> Calls,
    /// Whether the fault must not change the outcome.
    absorbed: bool,
}

impl Case<'_> {
    /// Checks that an injected fault caused the error.
    fn check(&self, calls: &Calls, error: &Error) {
        assert!(calls.fault_injected() && !self.absorbed, "{error:?} without a fault");
        match error {
            Error::Io(error) => {
                let code = error.raw_os_error();
                let full = error.kind() == io::ErrorKind::WriteZero;
                let ended = error.kind() == io::ErrorKind::UnexpectedEof;
                assert!(
                    code == Some(OS_ERROR) || full || ended,
                    "not the injected error: {error:?}"
                );
            }
            Error::NotAContainer
            | Error::DamagedHeader
            | Error::Truncated { .. }
            | Error::TrailingData { .. }
            | Error::ChunkRejected { .. } => {}
            error => panic!("unexpected error for a source that ends early: {error:?}"),
        }
    }

    fn seal(&self, params: &SealParams<'_>, write_len: usize, container: &[u8]) {
        let calls = (self.calls)();
        let mut written = Vec::new();
        let sealed = (|| {
            let mut sealer = library::draft(params).sealer(Faulty::new(&mut written, &calls))?;
            for part in params.plaintext.chunks(write_len) {
                if let Err(error) = sealer.write_all(part) {
                    let error = Error::from(error);
                    let again =
                        Error::from(sealer.write(b"more").expect_err("the first error is final"));
                    assert_eq!(again.to_string(), error.to_string());
                    let again = sealer.finish().map(drop).expect_err("the first error is final");
                    assert_eq!(again.to_string(), error.to_string());
                    return Err(error);
                }
            }
            sealer.finish().map(drop)
        })();
        match sealed {
            Ok(()) => assert!(written == container, "the sealed bytes differ"),
            Err(error) => {
                self.check(&calls, &error);
                assert!(container.starts_with(&written), "written bytes are not a prefix");
            }
        }
    }

    fn open_stream(&self, container: &[u8], context: Option<&[u8]>, step: usize, plaintext: &[u8]) {
        let calls = (self.calls)();
        let reader = Faulty::new(container, &calls);
        let mut opener = match Opener::new(&Key::from_bytes(&known::KEY), reader, &options(context))
        {
            Ok(opener) => opener,
            Err(error) => return self.check(&calls, &error),
        };
        let (mut released, mut buffer) = (Vec::new(), vec![0; step]);
        loop {
            match opener.read(&mut buffer) {
                Ok(0) => return assert!(released == plaintext, "the opened bytes differ"),
                Ok(read) => released.extend_from_slice(&buffer[..read]),
                Err(error) => {
                    let error = Error::from(error);
                    self.check(&calls, &error);
                    assert!(plaintext.starts_with(&released), "released bytes are not a prefix");
                    let again = Error::from(
                        opener.read(&mut buffer).expect_err("the first error is final"),
                    );
                    assert_eq!(again.to_string(), error.to_string());
                    return;
                }
            }
        }
    }

    fn open_ranges(&self, container: &[u8], context: Option<&[u8]>, plaintext: &[u8]) {
        let calls = (self.calls)();
        let source = Faulty::new(container, &calls);
        let all = RangeReader::new(&Key::from_bytes(&known::KEY), source, &options(context))
            .and_then(|reader| reader.range(0..reader.len()));
        match all {
            Ok(all) => assert!(all == plaintext, "the opened bytes differ"),
            Err(error) => self.check(&calls, &error),
        }
    }

    fn salvage(&self, container: &[u8], context: Option<&[u8]>, plaintext: &[u8]) {
        let calls = (self.calls)();
        let source = Faulty::new(container, &calls);
        let reader =
            match SalvageReader::new(&Key::from_bytes(&known::KEY), source, &options(context)) {
                Ok(reader) => reader,
                Err(error) => return self.check(&calls, &error),
            };
        let chunk_len = ChunkSize::MIN.bytes();
        for (i, expected) in (0..).zip(plaintext.chunks(chunk_len)) {
            match reader.chunk(i) {
                Some(found) => assert!(found[..] == *expected, "chunk {i}: the bytes differ"),
                None => {
                    assert!(
                        calls.fault_injected() && !self.absorbed,
                        "chunk {i} is lost without a fault"
                    )
                }
            }
        }
    }
}
