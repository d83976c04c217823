//! The QR code of a key (ISO/IEC 18004), in memory that is wiped.

use qrcodegen_no_heap::{QrCode, QrCodeEcc, Version};
use zeroize::Zeroizing;

/// Light modules that must surround the code (ISO/IEC 18004, 6.3.8).
pub(super) const MARGIN: u16 = 4;

/// 64 alphanumeric characters with error correction Q, which a quarter of the code may be lost to,
/// are 46 bytes; this version holds 48 (ISO/IEC 18004, table 7).
const VERSION: Version = Version::new(4);
/// Modules on an edge of this version, without the margin.
const MODULES: u16 = 33;
const BUFFER_LEN: usize = VERSION.buffer_len();

/// A QR code with its margin.
pub(super) struct Qr(Zeroizing<[u8; MODULES as usize * MODULES as usize]>);

impl Qr {
    /// The code of 64 upper-case hex digits.
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
        // 64 digits always fit, as the tests see; without a code, the page still holds them as
        // text.
        if let Ok(encoded) = encoded {
            for (position, module) in dark.iter_mut().enumerate() {
                let side = usize::from(MODULES);
                *module =
                    encoded.get_module((position % side) as i32, (position / side) as i32).into();
            }
        }
        Qr(dark)
    }

    /// Modules on an edge, with the margin.
    pub(super) fn side(&self) -> u16 {
        MODULES + 2 * MARGIN
    }

    pub(super) fn is_dark(&self, column: u16, row: u16) -> bool {
        let inside = |place: u16| {
            place.checked_sub(MARGIN).filter(|place| *place < MODULES).map(usize::from)
        };
        match (inside(column), inside(row)) {
            (Some(column), Some(row)) => self.0[row * usize::from(MODULES) + column] == 1,
            _ => false,
        }
    }
}
