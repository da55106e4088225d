import Safetensors

/// The header before an entry's bytes, checked against the directory's record.
struct ZipHeader {
    /// The entry's bytes in the file.
    let bytes: Range<Int>
    /// The end of all that belongs to the entry.
    let end: Int

    /// The longest record of sizes behind the bytes.
    private static let longestDescriptor = 24

    /// Reads the header of an entry.
    ///
    /// - Parameter end: where the entries end and the directory begins.
    /// - Throws: for a header that disagrees with the record or reaches beyond the entries.
    init(of record: ZipRecord, in file: ReadableFile, end limit: Int) throws(WeightFileError) {
        let name = ZipRecord.quoted(record.name)
        func refusal(_ problem: String) -> WeightFileError {
            WeightFileError(path: file.path, problem: "entry \(name) \(problem); the file is damaged")
        }
        guard limit >= ZipRecord.localByteCount, record.header <= UInt64(limit - ZipRecord.localByteCount) else {
            throw refusal("lies beyond the archive's entries")
        }
        let start = Int(record.header)
        let header = try file.weightBytes(start..<start + ZipRecord.localByteCount)
        guard header.field(UInt32.self, at: 0) == 0x0403_4B50 else { throw refusal("has no header at byte \(start)") }
        let nameLength = Int(header.field(UInt16.self, at: 26))
        let extraLength = Int(header.field(UInt16.self, at: 28))
        let nameStart = start + ZipRecord.localByteCount
        guard nameLength + extraLength <= limit - nameStart else { throw refusal("lies beyond the archive's entries") }
        let rest = try file.weightBytes(nameStart..<nameStart + nameLength + extraLength)
        guard rest[..<nameLength].elementsEqual(record.name) else {
            throw refusal("is called \(ZipRecord.quoted(Array(rest[..<nameLength]))) in its own header")
        }
        guard header.field(UInt16.self, at: 6) == record.flags, header.field(UInt16.self, at: 8) == record.method else {
            throw refusal("has other flags or another method in its own header")
        }

        let dataStart = nameStart + rest.count
        guard record.storedSize <= UInt64(limit - dataStart) else {
            throw refusal("claims \(record.storedSize) bytes, which reach beyond the archive's entries")
        }
        bytes = dataStart..<dataStart + Int(record.storedSize)
        let follow = record.flags & ZipRecord.sizesFollow != 0
        var wide = try ZipWideFields(Array(rest[nameLength...]), name: name, path: file.path)
        let size = try wide.value(header.field(UInt32.self, at: 22))
        let stored = try wide.value(header.field(UInt32.self, at: 18))
        let crc = header.field(UInt32.self, at: 14)
        let agree = [(size, record.size), (stored, record.storedSize), (UInt64(crc), UInt64(record.crc))]
        // Before sizes that follow, the header states zeros.
        guard agree.allSatisfy({ $0 == $1 || (follow && $0 == 0) }) else {
            throw refusal("has another size or CRC-32 in its own header")
        }
        guard follow else {
            end = bytes.upperBound
            return
        }
        let behind = bytes.upperBound..<min(bytes.upperBound + Self.longestDescriptor, limit)
        guard let length = Self.descriptorLength(try file.weightBytes(behind), of: record) else {
            throw refusal("has another size or CRC-32 behind its bytes")
        }
        end = bytes.upperBound + length
    }

    /// The length of the CRC-32 and the sizes behind an entry's bytes, nil if they are not the record's. They may be
    /// preceded by a mark, and the sizes have 32 or 64 bits.
    private static func descriptorLength(_ bytes: [UInt8], of record: ZipRecord) -> Int? {
        for mark in [4, 0] {
            for width in [4, 8] {
                let length = mark + 4 + 2 * width
                guard bytes.count >= length else { continue }
                if mark == 4, bytes.field(UInt32.self, at: 0) != 0x0807_4B50 { continue }
                let sizes = [mark + 4, mark + 4 + width].map {
                    width == 4 ? UInt64(bytes.field(UInt32.self, at: $0)) : bytes.field(UInt64.self, at: $0)
                }
                if bytes.field(UInt32.self, at: mark) == record.crc, sizes == [record.storedSize, record.size] {
                    return length
                }
            }
        }
        return nil
    }
}
