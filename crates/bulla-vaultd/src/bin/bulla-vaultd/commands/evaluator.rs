//! `bulla-vaultd evaluator`.

use crate::args::Evaluator;
use crate::setup;

/// Answers calls on a socket until the process is killed.
pub(crate) fn run(args: Evaluator) -> Result<(), String> {
    let hsm = setup::hsm(&args.hsm, false)?;
    let watermarks = setup::store(&args.watermarks, &args.cluster)?;
    let evaluator = setup::local_evaluator(hsm, watermarks, &args.pace)?;
    tracing::info!(socket = %args.socket.display(), "evaluator listening");
    bulla_vaultd::evaluator::serve(evaluator, &args.socket)
        .map_err(|e| format!("{}: {e}", args.socket.display()))
}
