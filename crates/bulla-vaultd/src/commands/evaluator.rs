//! `bulla-vaultd evaluator`.

use crate::args::Evaluator;
use crate::parts;

/// Answers calls on a socket until the process is ended.
pub(crate) fn run(args: Evaluator) -> Result<(), String> {
    let hsm = parts::hsm(&args.hsm, false)?;
    let marks = parts::store(&args.marks, &args.cluster)?;
    let evaluator = parts::local(hsm, marks, &args.pace)?;
    tracing::info!(socket = %args.socket.display(), "evaluator listens");
    bulla_vaultd::evaluator::serve(evaluator, &args.socket)
        .map_err(|e| format!("{}: {e}", args.socket.display()))
}
