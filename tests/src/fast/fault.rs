//! What can go wrong at fast.com.

/// What goes wrong. Without any of these everything goes well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    PageStatus(u16),
    PageRedirects,
    PageWithoutScript,
    PageSaysNothing,
    ScriptStatus(u16),
    ScriptIsHtml,
    /// It is so long, or breaks off there.
    ScriptIsLong(usize),
    ScriptBreaks(u64),
    ScriptWithoutToken,
    ScriptWithoutEndpoint,
    /// The page that is served first leads to a token that is old already.
    TokenChanges,
    TokenIsRefused,
    ApiStatus(u16),
    /// 429, with so many seconds to wait.
    ApiLimited(u32),
    ApiIsHtml,
    ApiIsGarbage,
    NoTargets,
    /// The second version of the API is not there.
    OnlyV1,
    /// The addresses of the first answer have expired.
    TargetsExpireOnce,
    TargetsExpired,
    TargetsBadlySigned,
    TargetsStatus(u16),
    TargetsRedirect,
    TargetsAreHtml,
    TargetsAreEmpty,
    /// They answer with a few bytes of some message, without its length.
    TargetsMumble,
    /// Latency is asked for, and answered with a head and nothing more, or with all there is.
    LatencyStalls,
    LatencyIsLarge,
    /// They send so many bytes of each piece, and then nothing.
    TargetsStall(u64),
    /// They break off after so many bytes of each piece.
    TargetsBreak(u64),
    /// The first of the servers does so; the others go on.
    OneStalls,
    OneBreaks,
    /// Each connection gets so many bytes a second.
    Slow(u64),
    /// Uploads are refused before they are read.
    RefusesUploads,
    /// Or afterwards.
    RefusesUploadsLate,
}
