extension TokenDecoder {
    /// Loads the `decoder` of a `tokenizer.json`, which may be absent.
    ///
    /// - Throws: `.unsupported`, `.malformed`.
    init(element: JSONElement?) throws(TokenizerError) {
        guard let element else {
            steps = nil
            return
        }
        var steps: [DecodingStep] = []
        for part in try element.sequence(of: "decoders") { steps.append(try DecodingStep(part)) }
        self.steps = steps
    }
}

extension DecodingStep {
    private static let supported =
        "ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace, WordPiece, BPEDecoder, CTC, or a Sequence of them"

    fileprivate init(_ element: JSONElement) throws(TokenizerError) {
        func text(_ name: String) throws(TokenizerError) -> [UInt8] {
            let member = try element.required(name)
            let text = Array(try member.string().utf8)
            guard !text.isEmpty else { throw member.malformed("it is empty") }
            return text
        }
        switch try element.required("type").string() {
        case "ByteLevel": self = .byteLevel
        case "Replace": self = .replace(try TextReplacement(element))
        case "ByteFallback": self = .byteFallback
        case "Fuse": self = .fuse
        case "Strip":
            self = .strip(
                content: try element.required("content").scalar(), start: try element.required("start").count(),
                stop: try element.required("stop").count())
        case "Metaspace":
            let scheme = try element.member("prepend_scheme")?.string() ?? "always"
            let addsSpace = try element.flag("add_prefix_space", absent: true)
            let replacement = try element.required("replacement").scalar()
            self = .metaspace(replacement: Array(String(replacement).utf8), dropsFirst: addsSpace && scheme != "never")
        case "WordPiece":
            let prefix = try element.member("prefix")?.string() ?? "##"
            self = .wordPiece(
                prefix: Array(prefix.utf8),
                cleansUp: try element.flag("cleanup", absent: true))
        case "BPEDecoder": self = .suffix(try text("suffix"))
        case "CTC":
            self = .connectionist(
                pad: try text("pad_token"), delimiter: try text("word_delimiter_token"),
                cleansUp: try element.flag("cleanup", absent: true))
        case let type: throw element.unsupported(type, supported: Self.supported)
        }
    }
}
