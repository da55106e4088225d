extension TerminalStyle {
    /// A context on one line, with the tokens on which a feature fires highlighted.
    ///
    /// With colours, the background deepens in five steps with the activation. Without, firing tokens stand between
    /// guillemets, `«like» «this»`, their leading space outside; guillemets in the text become single ones.
    ///
    /// - Parameters:
    ///   - tokens: the text of every token, in reading order.
    ///   - activations: the feature's activation at every token, as many as tokens.
    ///   - maximum: the activation that has the full intensity; by default the strongest of those given.
    ///   - floor: tokens with at most this fraction of the maximum are not highlighted.
    package func highlight(
        tokens: [String],
        activations: [Float],
        maximum: Float? = nil,
        floor: Float = 0
    ) -> String {
        precondition(tokens.count == activations.count, "\(tokens.count) tokens, \(activations.count) activations")
        let maximum = maximum ?? activations.reduce(0) { $1.isFinite ? max($0, $1) : $0 }
        var line = ""
        for (token, activation) in zip(tokens, activations) {
            let text = VisibleText.of(token)
            let share = maximum > 0 && activation > 0 ? activation / maximum : 0
            if !(share > max(floor, 0)) {
                line += hasColour ? text : Self.withoutGuillemets(text)
            } else if hasColour {
                line += paint(text, .intensity(Int((min(share, 1) * 5).rounded(.up))))
            } else {
                let space = text.prefix { $0 == " " }
                let word = text.dropFirst(space.count)
                line += word.isEmpty ? "«\(text)»" : space + "«" + Self.withoutGuillemets(String(word)) + "»"
            }
        }
        return line
    }

    private static func withoutGuillemets(_ text: String) -> String {
        guard text.contains(where: { $0 == "«" || $0 == "»" }) else { return text }
        return String(text.map { $0 == "«" ? "‹" : $0 == "»" ? "›" : $0 })
    }
}
