/// Where the central directory of a zip archive lies, from the records at the end of the file.
struct ZipDirectory {
    /// The most entries that are read.
    static let mostEntries = 1 << 16
    /// The most bytes of a central directory that are read.
    static let mostBytes = 1 << 24
    /// The bytes of the record at the end of every archive, without its comment.
    static let endByteCount = 22
    /// The most bytes from that record, preceded by the one that points to zip64's, to the end of the file.
    static let mostTailBytes = locatorByteCount + endByteCount + 0xFFFF

    private static let locatorByteCount = 20
    private static let wideEndByteCount = 56

    /// The directory's bytes in the file.
    let bytes: Range<Int>
    /// The number of its entries.
    let entryCount: Int

    /// Reads the records at the end of an archive.
    ///
    /// - Parameters:
    ///   - tail: the file's last bytes, at most `mostTailBytes`.
    ///   - fileSize: of the whole file.
    ///   - read: reads other bytes of the file, which are there.
    /// - Throws: what is wrong with the records, and what `read` throws.
    init(
        tail: [UInt8], fileSize: Int, path: String, read: (Range<Int>) throws(WeightFileError) -> [UInt8]
    ) throws(WeightFileError) {
        func refusal(_ problem: String) -> WeightFileError { WeightFileError(path: path, problem: problem) }
        guard let end = Self.end(in: tail) else {
            throw refusal("ends without the directory of a zip archive, so it is cut short; copy the whole file again")
        }
        let tailStart = fileSize - tail.count
        var disks = [Int(tail.field(UInt16.self, at: end + 4)), Int(tail.field(UInt16.self, at: end + 6))]
        var counts = [UInt64(tail.field(UInt16.self, at: end + 8)), UInt64(tail.field(UInt16.self, at: end + 10))]
        var size = UInt64(tail.field(UInt32.self, at: end + 12))
        var offset = UInt64(tail.field(UInt32.self, at: end + 16))
        var directoryEnd = tailStart + end

        let locator = end - Self.locatorByteCount
        if locator >= 0, tail.field(UInt32.self, at: locator) == 0x0706_4B50 {
            let place = tail.field(UInt64.self, at: locator + 8)
            let locatorPlace = tailStart + locator
            guard tail.field(UInt32.self, at: locator + 4) == 0, tail.field(UInt32.self, at: locator + 16) <= 1 else {
                throw refusal("is one of several disks of a zip archive; join them first")
            }
            guard locatorPlace >= Self.wideEndByteCount, place <= UInt64(locatorPlace - Self.wideEndByteCount) else {
                throw refusal("its zip64 record lies beyond the place that points to it; the file is damaged")
            }
            let record = try read(Int(place)..<Int(place) + Self.wideEndByteCount)
            guard record.field(UInt32.self, at: 0) == 0x0606_4B50,
                record.field(UInt64.self, at: 4) == UInt64(locatorPlace) - place - 12
            else { throw refusal("has no zip64 record where it should be; the file is damaged") }
            let wide = [24, 32, 40, 48].map { record.field(UInt64.self, at: $0) }
            let narrow = [(counts[0], 0xFFFF), (counts[1], 0xFFFF), (size, 0xFFFF_FFFF), (offset, 0xFFFF_FFFF)]
            for (value, (other, limit)) in zip(wide, narrow) where other != value && other != UInt64(limit) {
                throw refusal("its zip64 record disagrees with the one at its end: \(value) and \(other)")
            }
            disks = [Int(record.field(UInt32.self, at: 16)), Int(record.field(UInt32.self, at: 20))]
            counts = [wide[0], wide[1]]
            size = wide[2]
            offset = wide[3]
            directoryEnd = Int(place)
        }

        guard disks == [0, 0], counts[0] == counts[1] else {
            throw refusal("is one of several disks of a zip archive; join them first")
        }
        guard counts[1] <= UInt64(Self.mostEntries), size <= UInt64(Self.mostBytes) else {
            throw refusal(
                "its directory has \(counts[1]) entries in \(size) bytes, at most \(Self.mostEntries) in "
                    + "\(Self.mostBytes) are read")
        }
        guard offset <= UInt64(directoryEnd), size <= UInt64(directoryEnd) - offset else {
            throw refusal("its directory of \(size) bytes at \(offset) reaches beyond the file; the file is damaged")
        }
        guard offset + size == UInt64(directoryEnd) else {
            let extra = UInt64(directoryEnd) - offset - size
            throw refusal("has \(extra) bytes that no part of a zip archive accounts for, before or behind its entries")
        }
        bytes = Int(offset)..<directoryEnd
        entryCount = Int(counts[1])
    }

    /// The place of the last record whose comment ends where the file does.
    private static func end(in tail: [UInt8]) -> Int? {
        guard tail.count >= endByteCount else { return nil }
        return (max(0, tail.count - endByteCount - 0xFFFF)...tail.count - endByteCount).last { place in
            tail.field(UInt32.self, at: place) == 0x0605_4B50
                && Int(tail.field(UInt16.self, at: place + 20)) == tail.count - endByteCount - place
        }
    }
}
