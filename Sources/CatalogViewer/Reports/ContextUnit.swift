package import FeatureCatalog
package import Indexing

/// What of a context can be drawn by itself: a token, or neighbouring tokens that share a character between them.
package struct ContextUnit: Equatable {
    /// The text.
    package var text: String
    /// The strongest activation of its tokens.
    package var activation: Float
    /// Whether the peak token is in it.
    package var isPeak: Bool
    /// Whether it is in the context's window, whose activations are known.
    package var isInWindow = true

    /// The units of a window.
    package static func units(tokens: [ContextToken], activations: [Float], peak: Int) -> [ContextUnit] {
        precondition(tokens.count == activations.count, "\(tokens.count) tokens, \(activations.count) activations")
        var units: [ContextUnit] = []
        var bytes: [UInt8] = []
        var open: ContextUnit?
        for (place, token) in tokens.enumerated() {
            if open == nil, token.bytes == nil {
                units.append(ContextUnit(text: token.text, activation: activations[place], isPeak: place == peak))
                continue
            }
            bytes += token.bytes ?? Array(token.text.utf8)
            var unit = open ?? ContextUnit(text: "", activation: activations[place], isPeak: false)
            unit.activation = max(unit.activation, activations[place])
            unit.isPeak = unit.isPeak || place == peak
            if endsWithinCharacter(bytes), place + 1 < tokens.count {
                open = unit
                continue
            }
            unit.text = String(decoding: bytes, as: UTF8.self)
            units.append(unit)
            bytes = []
            open = nil
        }
        return units
    }

    /// The units of a context whose tokens are cut out of its passage: of tokens that share a character the last one
    /// has its text.
    package static func units(of context: ContextText) -> [ContextUnit] {
        var units: [ContextUnit] = []
        var open: ContextUnit?
        for (place, token) in context.tokens.enumerated() {
            let isInWindow = context.window.contains(place)
            var unit = ContextUnit(
                text: token, activation: isInWindow ? context.activations[place - context.window.lowerBound] : 0,
                isPeak: place == context.peak, isInWindow: isInWindow)
            if let open {
                unit.activation = max(unit.activation, open.activation)
                unit.isPeak = unit.isPeak || open.isPeak
            }
            // The character goes on in the next token.
            open = token.isEmpty && place + 1 < context.tokens.count ? unit : nil
            if open == nil { units.append(unit) }
        }
        return units
    }

    /// The units of an excerpt, whose peak stands between guillemets, where the tokens are not known.
    ///
    /// - Parameter share: relative position of the peak in the window, 0…1. The text may contain guillemets, so the
    ///   pair nearest to that is taken.
    package static func units(excerpt: String, activation: Float, share: Double) -> [ContextUnit] {
        let wanted = share * Double(excerpt.count)
        var best: (range: Range<String.Index>, distance: Double)?
        for (offset, start) in excerpt.indices.enumerated() where excerpt[start] == "«" {
            guard let end = excerpt[start...].firstIndex(of: "»") else { break }
            let distance = abs(Double(offset) - wanted)
            if distance < best?.distance ?? .infinity { best = (excerpt.index(after: start)..<end, distance) }
        }
        guard let peak = best?.range else { return words(of: excerpt[...]) }
        return words(of: excerpt[..<excerpt.index(before: peak.lowerBound)])
            + [ContextUnit(text: String(excerpt[peak]), activation: activation, isPeak: true)]
            + words(of: excerpt[excerpt.index(after: peak.upperBound)...])
    }

    /// Words with the space before them.
    private static func words(of text: Substring) -> [ContextUnit] {
        var units: [ContextUnit] = []
        for character in text {
            if character.isWhitespace || units.isEmpty {
                units.append(ContextUnit(text: String(character), activation: 0, isPeak: false))
            } else {
                units[units.count - 1].text.append(character)
            }
        }
        return units
    }

    /// Whether the bytes end within a UTF-8 character.
    private static func endsWithinCharacter(_ bytes: [UInt8]) -> Bool {
        for (distance, byte) in bytes.suffix(3).reversed().enumerated() {
            switch byte {
            case 0x80...0xBF: continue
            case 0xC2...0xDF: return distance < 1
            case 0xE0...0xEF: return distance < 2
            case 0xF0...0xF4: return distance < 3
            default: return false
            }
        }
        return false
    }
}
