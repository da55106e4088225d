/// The header of a safetensors file, checked against every rule of the format.
///
/// The rules are those of the README of github.com/huggingface/safetensors: eight bytes of little-endian length, a JSON
/// object in UTF-8, then the data section, which the tensors cover without overlap and without holes.
struct SafetensorsHeader {
    /// The format's limit on the header, in bytes.
    static let maximumLength = 100_000_000
    /// The reserved key for metadata.
    static let metadataKey = "__metadata__"

    var metadata: [String: String] = [:]
    /// In the order of their data; empty tensors at one offset keep the order of the header.
    var tensors: [TensorDescription] = []
    /// Unknown element types, by tensor. Such tensors cannot be read.
    var unknownTypes: [String: String] = [:]

    /// Bytes before the header, which say how long it is.
    static let prefixLength = 8

    /// The length of the header of a file that begins with `prefix`: all of the file, or its first eight bytes.
    static func length(prefix: [UInt8], fileSize: Int) throws(SafetensorsMalformation) -> Int {
        guard fileSize >= prefixLength, prefix.count >= prefixLength else { throw .fileTooShort(size: fileSize) }
        let claimed = prefix.prefix(prefixLength).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard claimed <= UInt64(maximumLength) else { throw .headerTooLong(length: claimed) }
        let length = Int(claimed)
        guard length <= fileSize - prefixLength else { throw .headerBeyondFile(length: length, fileSize: fileSize) }
        return length
    }

    /// Parses a header.
    ///
    /// - Parameters:
    ///   - json: all of it.
    ///   - fileSize: of the whole file; nil where the data come from elsewhere and end where the tensors do.
    init(json: UnsafeRawBufferPointer, fileSize: Int?) throws(SafetensorsMalformation) {
        guard String(validating: json, as: UTF8.self) != nil else { throw .headerNotUTF8 }
        guard json.first == UInt8(ascii: "{") else { throw .headerStart }

        var scanner = HeaderScanner(json, base: Self.prefixLength)
        let entries = try readEntries(from: &scanner)
        try layOut(entries, dataStart: Self.prefixLength + json.count, fileSize: fileSize)
    }

    /// One tensor as the header states it, with offsets relative to the data section.
    private struct Entry {
        let name: String
        var dtype: String?
        var shape: [Int]?
        var offsets: [Int]?
    }

    private mutating func readEntries(
        from scanner: inout HeaderScanner
    ) throws(SafetensorsMalformation) -> [Entry] {
        var entries: [Entry] = []
        var seen: Set<String> = []
        var metadata: [String: String] = [:]
        try scanner.object { (scanner, name, offset) throws(SafetensorsMalformation) in
            guard seen.insert(name).inserted else { throw .duplicateKey(name, offset: offset) }
            if name == Self.metadataKey {
                try scanner.object { (scanner, key, offset) throws(SafetensorsMalformation) in
                    let value = try scanner.string()
                    guard metadata.updateValue(value, forKey: key) == nil else {
                        throw .duplicateKey(key, offset: offset)
                    }
                }
            } else {
                entries.append(try Self.readEntry(named: name, from: &scanner))
            }
        }
        try scanner.expectEnd()
        self.metadata = metadata
        return entries
    }

    private static func readEntry(
        named name: String, from scanner: inout HeaderScanner
    ) throws(SafetensorsMalformation) -> Entry {
        var entry = Entry(name: name)
        try scanner.object { (scanner, field, offset) throws(SafetensorsMalformation) in
            switch field {
            case "dtype":
                guard entry.dtype == nil else { throw .duplicateKey(field, offset: offset) }
                entry.dtype = try scanner.string()
            case "shape":
                guard entry.shape == nil else { throw .duplicateKey(field, offset: offset) }
                entry.shape = try scanner.naturalNumbers()
            case "data_offsets":
                guard entry.offsets == nil else { throw .duplicateKey(field, offset: offset) }
                entry.offsets = try scanner.naturalNumbers()
            default:
                throw .unknownField(field, tensor: name)
            }
        }
        return entry
    }

    /// Where a file of these tensors ends.
    private static func fileSize(_ entries: [Entry], dataStart: Int) throws(SafetensorsMalformation) -> Int {
        var end = dataStart
        for entry in entries {
            let (own, overflow) = dataStart.addingReportingOverflow(entry.offsets?.last ?? 0)
            guard !overflow else { throw .invalidOffsets(tensor: entry.name) }
            end = max(end, own)
        }
        return end
    }

    private mutating func layOut(
        _ entries: [Entry], dataStart: Int, fileSize: Int?
    ) throws(SafetensorsMalformation) {
        let fileSize = if let fileSize { fileSize } else { try Self.fileSize(entries, dataStart: dataStart) }
        let dataSize = fileSize - dataStart
        var places: [(name: String, range: Range<Int>)] = []
        for entry in entries {
            let name = entry.name
            guard let dtype = entry.dtype else { throw .missingField("dtype", tensor: name) }
            guard let shape = entry.shape else { throw .missingField("shape", tensor: name) }
            guard let offsets = entry.offsets else { throw .missingField("data_offsets", tensor: name) }
            guard offsets.count == 2, offsets[0] <= offsets[1] else { throw .invalidOffsets(tensor: name) }
            let type = TensorDType(rawValue: dtype)
            if let type {
                guard let needed = TensorDescription.byteCount(dtype: type, shape: shape) else {
                    throw .shapeOverflow(tensor: name)
                }

                let spanned = offsets[1] - offsets[0]
                guard spanned == needed else { throw .sizeMismatch(tensor: name, expected: needed, found: spanned) }
            }
            // Checked before the sums below, which could otherwise overflow.
            guard offsets[1] <= dataSize else {
                let (end, overflow) = dataStart.addingReportingOverflow(offsets[1])
                throw .wrongFileSize(expected: overflow ? .max : end, found: fileSize)
            }

            let range = dataStart + offsets[0]..<dataStart + offsets[1]
            places.append((name, range))
            if let type {
                tensors.append(TensorDescription(name: name, dtype: type, shape: shape, byteRange: range))
            } else {
                unknownTypes[name] = dtype
            }
        }
        // The sort is stable, so tensors without data stay in the order of the header.
        tensors.sort {
            ($0.byteRange.lowerBound, $0.byteRange.upperBound) < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
        }
        places.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        var end = dataStart
        for (name, range) in places {
            guard range.lowerBound >= end else { throw .overlap(tensor: name) }
            guard range.lowerBound == end else { throw .hole(tensor: name, offset: end) }
            end = range.upperBound
        }
        guard end == fileSize else { throw .wrongFileSize(expected: end, found: fileSize) }
    }
}
