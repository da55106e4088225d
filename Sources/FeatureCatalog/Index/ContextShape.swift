import Vocabulary

/// A context's window, without its text.
struct ContextShape {
    let band: ContextBand
    let rank: Int
    /// Tokens of the window.
    let windowLength: Int
    /// The peak token's position in the window; may lie outside in a foreign file.
    let peak: Int

    /// - Parameters:
    ///   - windowStart: The window's first token in the document.
    ///   - tokenPosition: The peak token in the document.
    init(band: ContextBand, rank: Int, windowLength: Int, windowStart: Int, tokenPosition: Int) {
        self.band = band
        self.rank = rank
        self.windowLength = windowLength
        let (peak, overflow) = tokenPosition.subtractingReportingOverflow(windowStart)
        self.peak = overflow ? -1 : peak
    }
}
