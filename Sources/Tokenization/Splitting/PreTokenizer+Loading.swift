extension PreTokenizer {
    /// Loads the `pre_tokenizer` of a `tokenizer.json`, and nothing else of it.
    ///
    /// - Throws: as `init(document:)`, and `.missing`, `.unreadable`.
    package init(file: String) throws(TokenizerError) { try self.init(document: JSONElement(file: file)) }

    /// Loads the `pre_tokenizer` of a `tokenizer.json`; without one a text is one piece.
    ///
    /// - Throws: `.unsupported` for other types and for regular expressions beyond `TextPattern`, `.malformed`.
    init(document: JSONElement) throws(TokenizerError) {
        var steps: [Step] = []
        var bytes = ByteState.none
        for part in try document.member("pre_tokenizer")?.sequence(of: "pretokenizers") ?? [] {
            let type = try part.required("type").string()
            // Steps behind ByteLevel see the characters that stand for bytes.
            if bytes == .implied {
                steps.append(.byteCharacters)
                bytes = .written
            }
            if type == "ByteLevel" {
                if try part.flag("add_prefix_space", absent: true) { steps.append(.prefixSpace) }
                if try part.flag("use_regex", absent: true) { steps.append(.split(.gpt2)) }
                bytes = .implied
            } else {
                guard bytes == .none || type != "Metaspace" else {
                    throw part.unsupported("Metaspace behind ByteLevel", supported: Self.supported)
                }
                steps += try Self.steps(of: type, part)
            }
        }
        if bytes == .written { steps.append(.bytesOfCharacters) }
        self.steps = steps
        isByteLevel = bytes != .none
    }

    /// How the text is written at a step.
    private enum ByteState {
        /// As it is.
        case none
        /// As it is, though it counts as the characters that stand for its bytes.
        case implied
        /// As those characters.
        case written
    }

    private static let supported =
        "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, FixedLength, Metaspace, Punctuation, Split, Whitespace, "
        + "WhitespaceSplit, a Sequence of them, or none"

    private static func steps(of type: String, _ part: JSONElement) throws(TokenizerError) -> [Step] {
        func split(at set: ScalarSet, _ behavior: SplitBehavior) throws(TokenizerError) -> Step {
            do {
                return .pattern(try PatternSplit(at: set, behavior, source: type))
            } catch {
                throw part.refused(error)
            }
        }
        let database = CharacterDatabase.shared
        switch type {
        case "Split": return [try loadSplit(part)]
        case "Digits": return [.digits(individually: try part.flag("individual_digits", absent: false))]
        case "Metaspace": return [.metaspace(try MetaspaceStep(part))]
        case "Punctuation":
            return [try split(at: database.delimiters, behavior(of: part) ?? .isolated)]
        case "BertPreTokenizer":
            return [try split(at: .space, .removed), try split(at: database.delimiters, .isolated)]
        case "WhitespaceSplit": return [try split(at: .space, .removed)]
        case "Whitespace":
            do { return [.pattern(try .whitespace())] } catch { throw part.refused(error) }
        case "CharDelimiterSplit":
            return [try split(at: ScalarSet(part.required("delimiter").scalar()), .removed)]
        case "FixedLength":
            return [.fixedLength(try part.member("length")?.count(from: 1) ?? 5)]
        default: throw part.unsupported(type, supported: supported)
        }
    }

    private static func behavior(of element: JSONElement) throws(TokenizerError) -> SplitBehavior? {
        guard let member = try element.member("behavior") else { return nil }
        guard let behavior = SplitBehavior(rawValue: try member.string()) else {
            throw member.unsupported(
                try member.string(), supported: SplitBehavior.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return behavior
    }

    private static func loadSplit(_ element: JSONElement) throws(TokenizerError) -> Step {
        let pattern = try element.required("pattern")
        let isInverted = try element.flag("invert", absent: false)
        _ = try element.required("behavior")
        let behavior = try behavior(of: element) ?? .isolated
        guard let expression = try pattern.member("Regex") else {
            let text = try pattern.required("String")
            let node = PatternNode.sequence(try text.string().unicodeScalars.map { .scalar(ScalarSet($0)) })
            do {
                return .pattern(
                    PatternSplit(
                        pattern: .expression(try TextPattern(node)), behavior: behavior, isInverted: isInverted,
                        source: "String " + (try text.string())))
            } catch let error as TokenizerError {
                throw error
            } catch {
                throw text.unsupported("a long text", supported: "up to \(PatternCompiler.maximumInstructions) bytes")
            }
        }
        let source = try expression.string()
        guard let known = SplitPattern(regularExpression: source) else {
            do {
                return .pattern(
                    PatternSplit(
                        pattern: .expression(try TextPattern(source)), behavior: behavior, isInverted: isInverted,
                        source: "Regex " + source))
            } catch {
                throw expression.refused(error)
            }
        }
        // Every scalar belongs to a match, so keeping the matches and removing the rest is the same as keeping both.
        if behavior == .isolated || behavior == .removed && isInverted { return .split(known) }
        return .pattern(
            PatternSplit(
                pattern: .known(known), behavior: behavior, isInverted: isInverted,
                source: "Regex " + known.regularExpressions[0]))
    }
}

extension JSONElement {
    /// The error for a regular expression that cannot be used.
    func refused(_ error: PatternError) -> TokenizerError {
        guard !error.isMalformed else { return malformed("it has \(error)") }
        return unsupported("an expression with \(error)", supported: PatternError.supported)
    }
}

extension MetaspaceStep {
    /// Loads a step in the form of today, or in the older one, of which `add_prefix_space` is left.
    ///
    /// - Throws: `.malformed`, `.unsupported`.
    fileprivate init(_ element: JSONElement) throws(TokenizerError) {
        replacement = Array(String(try element.required("replacement").scalar()).utf8)
        scheme = .always
        if let member = try element.member("prepend_scheme") {
            guard let scheme = PrependScheme(rawValue: try member.string()) else {
                throw member.unsupported(
                    try member.string(), supported: PrependScheme.allCases.map(\.rawValue).joined(separator: ", "))
            }
            self.scheme = scheme
        }
        guard try element.flag("add_prefix_space", absent: true) || scheme == .never else {
            throw element.malformed("add_prefix_space is false, and prepend_scheme is \(scheme.rawValue)")
        }
        splits = try element.flag("split", absent: true)
    }
}
