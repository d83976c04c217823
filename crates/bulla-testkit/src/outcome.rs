//! The outcomes that the reference reports: the errors in section 9 of FORMAT.md and the state of
//! the two header copies (F-3.6).

/// An error in section 9 of FORMAT.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in section 9")]
pub enum ContainerError {
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

impl ContainerError {
    /// Returns the name that the vectors use for the error.
    pub fn name(self) -> &'static str {
        match self {
            ContainerError::NotAContainer => "not_a_container",
            ContainerError::UnsupportedVersion { .. } => "unsupported_version",
            ContainerError::UnsupportedSuite { .. } => "unsupported_suite",
            ContainerError::UnsupportedFeature => "unsupported_feature",
            ContainerError::DamagedHeader => "damaged_header",
            ContainerError::ContextRequired => "context_required",
            ContainerError::ContextUnexpected => "context_unexpected",
            ContainerError::WrongKey => "wrong_key",
            ContainerError::ChunkRejected { .. } => "chunk_rejected",
            ContainerError::Truncated { .. } => "truncated",
            ContainerError::TrailingData { .. } => "trailing_data",
            ContainerError::TooLarge => "too_large",
        }
    }
}

/// The state of the two header copies (F-3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderState {
    /// Both are valid and agree.
    Intact,
    /// The header is not valid; the footer is authoritative.
    HeaderDamaged,
    /// The footer is not valid; the header is authoritative.
    FooterDamaged,
    /// Both are valid but differ in bytes 8..96; the header is authoritative.
    Differ,
}

impl HeaderState {
    /// Returns the name that the vectors use for the state.
    pub fn name(self) -> &'static str {
        match self {
            HeaderState::Intact => "intact",
            HeaderState::HeaderDamaged => "header_damaged",
            HeaderState::FooterDamaged => "footer_damaged",
            HeaderState::Differ => "differ",
        }
    }
}
