import Safetensors
import Synchronization

/// A zip archive of entries that are stored as they are: what `torch.save` and `numpy.savez` write.
///
/// The directory and every entry's header are read when it is opened and checked against each other: entries lie within
/// the file, one behind the other, and begin with its first byte. Files over 4 GiB (zip64) are read. Archives that are
/// encrypted, split or begin with other data are refused, those with compressed entries by `requireStored`.
final class ZipArchive: Sendable {
    /// Where the archive was opened.
    let path: String
    /// The entries in the order of the directory.
    let entries: [ZipEntry]
    /// The archive's file, for reading an entry's bytes in place.
    let file: ReadableFile

    private let places: [String: Int]
    /// The entries whose bytes were found to be whole.
    private let verified = Mutex<Set<String>>([])

    /// Checks the structure of an archive.
    ///
    /// - Throws: for a file that cannot be read, is no zip archive, or has entries that are not read here.
    init(_ file: ReadableFile) throws(WeightFileError) {
        let path = file.path
        self.path = path
        self.file = file
        let size = file.byteCount
        let magic = try file.weightBytes(0..<min(4, size))
        guard magic.starts(with: [0x50, 0x4B]), size >= ZipDirectory.endByteCount else {
            throw WeightFileError(path: path, problem: "is no zip archive: it does not begin with PK")
        }
        let directory = try ZipDirectory(
            tail: file.weightBytes(max(0, size - ZipDirectory.mostTailBytes)..<size), fileSize: size, path: path,
            read: { range throws(WeightFileError) in try file.weightBytes(range) })
        let records = try Self.records(of: file, directory)
        let ranges = try Self.ranges(of: records, in: file, directoryStart: directory.bytes.lowerBound)
        var entries: [ZipEntry] = []
        var places: [String: Int] = [:]
        for (record, range) in zip(records, ranges) {
            let name = String(decoding: record.name, as: UTF8.self)
            guard places.updateValue(entries.count, forKey: name) == nil else {
                throw WeightFileError(path: path, problem: "has two entries \(WeightFileError.quoted(name))")
            }
            entries.append(ZipEntry(name: name, bytes: range, crc: record.crc, method: record.method))
        }
        self.entries = entries
        self.places = places
    }

    /// The entry of a name.
    func entry(_ name: String) -> ZipEntry? { places[name].map { entries[$0] } }

    /// Checks that no entry is compressed.
    ///
    /// - Parameter advice: how to write a file whose entries are not.
    /// - Throws: for the first that is.
    func requireStored(advice: String) throws(WeightFileError) {
        guard let entry = entries.first(where: { $0.method != 0 }) else { return }
        let named = ZipEntry.methods[entry.method].map { "\($0), " } ?? ""
        throw WeightFileError(
            path: path,
            problem:
                "entry \(WeightFileError.quoted(entry.name)) is compressed (\(named)method \(entry.method)), expected "
                + "stored; \(advice)")
    }

    /// The bytes of a small entry, checked by its CRC-32.
    ///
    /// - Throws: for an entry over `limit` bytes, damaged bytes, and a file that cannot be read.
    func bytes(of entry: ZipEntry, limit: Int) throws(WeightFileError) -> [UInt8] {
        guard entry.bytes.count <= limit else {
            throw WeightFileError(
                path: path,
                problem: "entry \(WeightFileError.quoted(entry.name)) has \(entry.bytes.count) bytes, expected at most "
                    + "\(limit)")
        }
        let bytes = try file.weightBytes(entry.bytes)
        var check = CyclicRedundancyCheck()
        bytes.withUnsafeBytes { check.update($0) }
        try compare(check, with: entry)
        return bytes
    }

    /// Checks the bytes of an entry by its CRC-32, once: all of them are read, a piece at a time. An entry whose writer
    /// stated no CRC-32 is taken as it is.
    ///
    /// - Throws: for damaged bytes and a file that cannot be read.
    func verify(_ entry: ZipEntry) throws(WeightFileError) {
        guard entry.crc != 0, !verified.withLock({ $0.contains(entry.name) }) else { return }
        var check = CyclicRedundancyCheck()
        do throws(SafetensorsError) {
            try file.forEachPiece(of: entry.bytes) { piece, _ in check.update(piece) }
        } catch {
            throw WeightFileError(error, path: path)
        }
        try compare(check, with: entry)
        verified.withLock { _ = $0.insert(entry.name) }
    }

    private func compare(_ check: CyclicRedundancyCheck, with entry: ZipEntry) throws(WeightFileError) {
        guard entry.crc == 0 || check.value == entry.crc else {
            throw WeightFileError(
                path: path,
                problem: "entry \(WeightFileError.quoted(entry.name)) is damaged: its CRC-32 is "
                    + "\(String(check.value, radix: 16)), expected \(String(entry.crc, radix: 16)); copy the file again"
            )
        }
    }

    /// The records of the directory, which fill it.
    private static func records(of file: ReadableFile, _ directory: ZipDirectory) throws(WeightFileError) -> [ZipRecord]
    {
        let path = file.path
        let bytes = try file.weightBytes(directory.bytes)
        var records: [ZipRecord] = []
        var place = 0
        for _ in 0..<directory.entryCount {
            let record = try ZipRecord(bytes, at: place, path: path)
            records.append(record)
            place += record.length
        }
        guard place == bytes.count else {
            throw WeightFileError(
                path: path,
                problem: "its directory has \(bytes.count - place) bytes behind its \(records.count) entries; "
                    + "the file is damaged")
        }
        return records
    }

    /// Where the bytes of every entry lie. Headers are read in the order of the file and never overlap, so no more is
    /// read than the file has.
    private static func ranges(
        of records: [ZipRecord], in file: ReadableFile, directoryStart: Int
    ) throws(WeightFileError) -> [Range<Int>] {
        let path = file.path
        var ranges = [Range<Int>](repeating: 0..<0, count: records.count)
        var end = 0
        for index in records.indices.sorted(by: { records[$0].header < records[$1].header }) {
            let record = records[index]
            let name = ZipRecord.quoted(record.name)
            guard record.header >= UInt64(end) else {
                throw WeightFileError(
                    path: path, problem: "entry \(name) overlaps another; the file is damaged or hostile")
            }
            if end == 0, record.header > 0 {
                throw WeightFileError(
                    path: path, problem: "begins with \(record.header) bytes that belong to no entry of the zip archive"
                )
            }
            let header = try ZipHeader(of: record, in: file, end: directoryStart)
            ranges[index] = header.bytes
            end = header.end
        }
        return ranges
    }
}
