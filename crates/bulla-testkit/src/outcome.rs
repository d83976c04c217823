//! What the reference reports: the errors of section 9, and the state of the two copies (F-3.6).

/// What is wrong with a container, or with what was given to open it: one variant for each error of
/// section 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of section 9 says it")]
pub enum Fault {
    NotAContainer,
    UnsupportedVersion { major: u8 },
    UnsupportedSuite { suite: u16 },
    UnsupportedFeature,
    DamagedHeader,
    ContextRequired,
    ContextUnexpected,
    WrongKey,
    ChunkRejected { index: u64 },
    Truncated { after: u64 },
    TrailingData { extra: u64 },
    TooLarge,
}

impl Fault {
    /// The error's name in the vectors.
    pub fn name(self) -> &'static str {
        match self {
            Fault::NotAContainer => "not_a_container",
            Fault::UnsupportedVersion { .. } => "unsupported_version",
            Fault::UnsupportedSuite { .. } => "unsupported_suite",
            Fault::UnsupportedFeature => "unsupported_feature",
            Fault::DamagedHeader => "damaged_header",
            Fault::ContextRequired => "context_required",
            Fault::ContextUnexpected => "context_unexpected",
            Fault::WrongKey => "wrong_key",
            Fault::ChunkRejected { .. } => "chunk_rejected",
            Fault::Truncated { .. } => "truncated",
            Fault::TrailingData { .. } => "trailing_data",
            Fault::TooLarge => "too_large",
        }
    }
}

/// How the header and the footer were found (F-3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderState {
    /// Both are valid and agree.
    Intact,
    /// The header is not valid; the footer counted.
    HeaderDamaged,
    /// The footer is not valid; the header counted.
    FooterDamaged,
    /// Both are valid but differ in bytes 8..96; the header counted.
    Differ,
}

impl HeaderState {
    /// The name in the vectors.
    pub fn name(self) -> &'static str {
        match self {
            HeaderState::Intact => "intact",
            HeaderState::HeaderDamaged => "header_damaged",
            HeaderState::FooterDamaged => "footer_damaged",
            HeaderState::Differ => "differ",
        }
    }
}
