/// What the central directory of a zip archive says of one entry.
struct ZipRecord {
    /// The bytes of a record without its name, extra fields and comment.
    static let byteCount = 46
    /// The same of the header before an entry's bytes.
    static let localByteCount = 30

    /// The flag of sizes that follow the bytes instead of preceding them.
    static let sizesFollow: UInt16 = 1 << 3
    /// Flags that change nothing about stored bytes: how hard they were compressed, sizes that follow, names in UTF-8.
    private static let harmlessFlags: UInt16 = 0b0000_1000_0000_1110

    let name: [UInt8]
    let flags: UInt16
    let crc: UInt32
    /// 0 for an entry that is stored as it is.
    let method: UInt16
    /// The size of its bytes.
    let size: UInt64
    /// The bytes that they take in the file.
    let storedSize: UInt64
    /// The offset of its header in the file.
    let header: UInt64
    /// The bytes of this record.
    let length: Int

    /// Reads the record at a place of the directory.
    ///
    /// - Throws: for a record that is cut off or says what is not read here.
    init(_ directory: [UInt8], at place: Int, path: String) throws(WeightFileError) {
        func refusal(_ problem: String) -> WeightFileError { WeightFileError(path: path, problem: problem) }
        let left = directory.count - place
        guard left >= Self.byteCount, directory.field(UInt32.self, at: place) == 0x0201_4B50 else {
            throw refusal("its directory has no entry at byte \(place); the file is damaged")
        }
        let nameLength = Int(directory.field(UInt16.self, at: place + 28))
        let extraLength = Int(directory.field(UInt16.self, at: place + 30))
        let commentLength = Int(directory.field(UInt16.self, at: place + 32))
        length = Self.byteCount + nameLength + extraLength + commentLength
        guard length <= left else { throw refusal("its directory ends within an entry; the file is damaged") }
        let extraStart = place + Self.byteCount + nameLength
        name = Array(directory[place + Self.byteCount..<extraStart])
        if let fault = ZipEntry.fault(ofName: name) {
            throw refusal("the name of its entry \(Self.quoted(name)) \(fault), so it is not read")
        }

        flags = directory.field(UInt16.self, at: place + 8)
        method = directory.field(UInt16.self, at: place + 10)
        try Self.check(flags: flags, name: name, path: path)
        crc = directory.field(UInt32.self, at: place + 16)
        var wide = try ZipWideFields(
            Array(directory[extraStart..<extraStart + extraLength]), name: Self.quoted(name), path: path)
        size = try wide.value(directory.field(UInt32.self, at: place + 24))
        storedSize = try wide.value(directory.field(UInt32.self, at: place + 20))
        header = try wide.value(directory.field(UInt32.self, at: place + 42))
        guard directory.field(UInt16.self, at: place + 34) == 0 else {
            throw refusal("entry \(Self.quoted(name)) lies on another disk; join the parts of the archive first")
        }
        guard method != 0 || storedSize == size else {
            throw refusal(
                "entry \(Self.quoted(name)) is stored in \(storedSize) bytes and said to have \(size); "
                    + "the file is damaged"
            )
        }
    }

    /// A name for a message.
    static func quoted(_ name: [UInt8]) -> String { WeightFileError.quoted(String(decoding: name, as: UTF8.self)) }

    private static func check(
        flags: UInt16, name: [UInt8], path: String
    ) throws(WeightFileError) {
        func refusal(_ problem: String) -> WeightFileError { WeightFileError(path: path, problem: problem) }
        guard flags & 0b0010_0000_0100_0001 == 0 else {
            throw refusal("entry \(quoted(name)) is encrypted; decrypt the archive first")
        }
        guard flags & ~harmlessFlags == 0 else {
            throw refusal("entry \(quoted(name)) has the flags \(String(flags, radix: 16)), which are not read here")
        }
    }
}

/// The 64-bit sizes and offsets of an entry, in the order of the 32-bit fields that are too small for them.
struct ZipWideFields {
    private var values: [UInt64] = []
    private let name: String
    private let path: String

    /// Finds the fields among an entry's extra ones.
    ///
    /// - Throws: for extra fields that are cut off.
    init(_ extra: [UInt8], name: String, path: String) throws(WeightFileError) {
        self.name = name
        self.path = path
        var place = 0
        while place + 4 <= extra.count {
            let length = Int(extra.field(UInt16.self, at: place + 2))
            guard length <= extra.count - place - 4 else {
                throw WeightFileError(
                    path: path, problem: "entry \(name) has an extra field that is cut off; the file is damaged")
            }
            if extra.field(UInt16.self, at: place) == 1, values.isEmpty {
                values = stride(from: 0, through: length - 8, by: 8).map {
                    extra.field(UInt64.self, at: place + 4 + $0)
                }
            }
            place += 4 + length
        }
    }

    /// The value of a 32-bit field: its own, or the next wide one if it is full.
    ///
    /// - Throws: for a full field without a wide one.
    mutating func value(_ narrow: UInt32) throws(WeightFileError) -> UInt64 {
        guard narrow == .max else { return UInt64(narrow) }
        guard !values.isEmpty else {
            throw WeightFileError(path: path, problem: "entry \(name) lacks its zip64 sizes; the file is damaged")
        }
        return values.removeFirst()
    }
}
