//! Encodes a key as a QR code (ISO/IEC 18004) in memory that is wiped on drop.

use qrcodegen_no_heap::{QrCode, QrCodeEcc, Version};
use zeroize::Zeroizing;

/// Width of the light margin around the code, in modules (ISO/IEC 18004, 6.3.8).
pub(super) const MARGIN: u16 = 4;

/// The QR code version. The 64 alphanumeric characters take 46 bytes, and version 4 holds 48 bytes
/// at error correction level Q, which tolerates the loss of a quarter of the code (ISO/IEC 18004,
/// table 7).
const VERSION: Version = Version::new(4);
/// Modules per side in this version, without the margin.
const MODULES: u16 = 33;
const BUFFER_LEN: usize = VERSION.buffer_len();

/// A QR code.
pub(super) struct Qr(Zeroizing<[u8; MODULES as usize * MODULES as usize]>);

impl Qr {
    /// Encodes 64 upper-case hex digits.
    pub(super) fn new(digits: &str) -> Qr {
        let mut dark = Zeroizing::new([0; MODULES as usize * MODULES as usize]);
        let mut scratch = Zeroizing::new([0; BUFFER_LEN]);
        let mut code = Zeroizing::new([0; BUFFER_LEN]);
        let encoded = QrCode::encode_text(
            digits,
            &mut scratch[..],
            &mut code[..],
            QrCodeEcc::Quartile,
            VERSION,
            VERSION,
            None,
            false,
        );
        // 64 digits always fit, as the tests check. If encoding failed, the page would still show
        // the digits as text.
        if let Ok(encoded) = encoded {
            for (position, module) in dark.iter_mut().enumerate() {
                let side = usize::from(MODULES);
                *module =
                    encoded.get_module((position % side) as i32, (position / side) as i32).into();
            }
        }
        Qr(dark)
    }

    /// Returns the number of modules per side, including the margin.
    pub(super) fn side(&self) -> u16 {
        MODULES + 2 * MARGIN
    }

    /// Returns whether a module is dark. The coordinates include the margin.
    pub(super) fn is_dark(&self, column: u16, row: u16) -> bool {
        let inside = |position: u16| {
            position.checked_sub(MARGIN).filter(|inner| *inner < MODULES).map(usize::from)
        };
        match (inside(column), inside(row)) {
            (Some(column), Some(row)) => self.0[row * usize::from(MODULES) + column] == 1,
            _ => false,
        }
    }
}
