extension CanonicalContent {
    mutating func add(_ step: NormalizationStep) {
        switch step {
        case .unicode(let form):
            add("unicode")
            add(form.isCompatible, form.isComposed)
        case .lowercase: add("lowercase")
        case .prepend(let prefix):
            add("prepend")
            add(prefix)
        case .replace(let replacement): add(replacement)
        case .strip(let left, let right):
            add("strip")
            add(left, right)
        case .stripAccents: add("strip accents")
        case .precompiled(let map):
            add("precompiled")
            add(map.bytes)
        case .byteLevel: add("byte level")
        case .nmt: add("nmt")
        case .bert(let bert):
            add("bert")
            add(bert.cleansText, bert.separatesChinese, bert.stripsAccents, bert.lowercases)
        }
    }

    mutating func add(_ step: DecodingStep) {
        switch step {
        case .byteLevel: add("byte level")
        case .replace(let replacement): add(replacement)
        case .byteFallback: add("byte fallback")
        case .fuse: add("fuse")
        case .strip(let content, let start, let stop):
            add("strip")
            add(Int(content.value), start, stop)
        case .metaspace(let replacement, let dropsFirst):
            add("metaspace")
            add(replacement)
            add(dropsFirst)
        case .wordPiece(let prefix, let cleansUp):
            add("word piece")
            add(prefix)
            add(cleansUp)
        case .suffix(let suffix):
            add("suffix")
            add(suffix)
        case .connectionist(let pad, let delimiter, let cleansUp):
            add("connectionist")
            add(pad)
            add(delimiter)
            add(cleansUp)
        }
    }

    private mutating func add(_ replacement: TextReplacement) {
        switch replacement.pattern {
        case .text(let text):
            add("replace")
            add(text)
        case .expression(_, let source):
            add("replace matches")
            add(source)
        }
        add(replacement.content)
    }
}
