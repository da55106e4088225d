/// The bytes of a zip archive of stored entries, and where its parts lie, so that a test can damage one field.
struct ZipBytes {
    /// The archive.
    var bytes: [UInt8] = []
    /// Where the header of each entry begins.
    private(set) var headers: [Int] = []
    /// Where the bytes of each entry begin.
    private(set) var data: [Int] = []
    /// Where the record of each entry in the directory begins.
    private(set) var records: [Int] = []
    /// Where the record at the end begins.
    private(set) var end = 0

    /// Makes an archive.
    ///
    /// - Parameters:
    ///   - sizesFollow: whether sizes follow the bytes, as in torch's files, instead of preceding them.
    ///   - wide: whether the directory is found by a zip64 record.
    init(
        _ entries: [(name: String, bytes: [UInt8])], sizesFollow: Bool = false, wide: Bool = false, comment: String = ""
    ) {
        var directory: [UInt8] = []
        for (name, content) in entries {
            let name = Array(name.utf8)
            let crc = littleEndian(UInt64(naiveCRC(content)), 4)
            let sizes = crc + littleEndian(UInt64(content.count), 4) + littleEndian(UInt64(content.count), 4)
            let flags = littleEndian(sizesFollow ? 8 : 0, 2)
            // Version, flags, method, time and date.
            let start = littleEndian(20, 2) + flags + littleEndian(0, 6)
            let nameLength = littleEndian(UInt64(name.count), 2)
            records.append(directory.count)
            directory += [0x50, 0x4B, 1, 2] + littleEndian(20, 2) + start + sizes + nameLength + littleEndian(0, 12)
            directory += littleEndian(UInt64(bytes.count), 4) + name
            headers.append(bytes.count)
            bytes += [0x50, 0x4B, 3, 4] + start + (sizesFollow ? littleEndian(0, 12) : sizes) + nameLength
            bytes += littleEndian(0, 2) + name
            data.append(bytes.count)
            bytes += content
            if sizesFollow { bytes += [0x50, 0x4B, 7, 8] + sizes }
        }
        let start = bytes.count
        records = records.map { $0 + start }
        bytes += directory
        let count = UInt64(entries.count)
        if wide {
            let place = UInt64(bytes.count)
            bytes += [0x50, 0x4B, 6, 6] + littleEndian(44, 8) + littleEndian(45, 2) + littleEndian(45, 2)
            bytes += littleEndian(0, 8) + littleEndian(count, 8) + littleEndian(count, 8)
            bytes += littleEndian(UInt64(directory.count), 8) + littleEndian(UInt64(start), 8)
            bytes += [0x50, 0x4B, 6, 7] + littleEndian(0, 4) + littleEndian(place, 8) + littleEndian(1, 4)
        }
        end = bytes.count
        bytes += [0x50, 0x4B, 5, 6] + littleEndian(0, 4) + littleEndian(count, 2) + littleEndian(count, 2)
        bytes += littleEndian(UInt64(directory.count), 4) + littleEndian(UInt64(start), 4)
        bytes += littleEndian(UInt64(comment.utf8.count), 2) + Array(comment.utf8)
    }

    /// The archive with a field changed.
    func with(_ value: UInt64, at place: Int, width: Int) -> [UInt8] {
        var changed = bytes
        changed.replaceSubrange(place..<place + width, with: littleEndian(value, width))
        return changed
    }
}
