import DictionaryExchange
import TestSupport
import Testing

/// One archive for every rule, each read as a file of torch.save.
@Suite struct ZipArchiveTests {
    private static let entries: [(name: String, bytes: [UInt8])] = [
        ("a/data.pkl", PickleBytes.pickle(PickleBytes.dictionary([("k", PickleBytes.integer(3))]))),
        ("a/version", Array("3\n".utf8)),
    ]

    private func values(_ bytes: [UInt8]) throws -> Int {
        let directory = try TemporaryDirectory()
        return try PyTorchFile(path: directory.write(bytes, as: "a.pt")).values.count
    }

    @Test func everyWayToStoreEntriesIsRead() throws {
        for sizesFollow in [false, true] {
            for wide in [false, true] {
                for comment in ["", "PK\u{5}\u{6} is in this comment", String(repeating: "c", count: 0xFFFF)] {
                    let archive = ZipBytes(Self.entries, sizesFollow: sizesFollow, wide: wide, comment: comment)
                    #expect(try values(archive.bytes) == 1)
                }
            }
        }
    }

    @Test func aFileThatIsCutShortAnywhereIsRefused() throws {
        let bytes = ZipBytes(Self.entries, wide: true).bytes
        let directory = try TemporaryDirectory()
        for length in 0..<bytes.count {
            let path = try directory.write(Array(bytes[..<length]), as: "a.pt")
            #expect(weightFileProblem { _ = try PyTorchFile(path: path) } != nil)
        }
    }

    @Test func anArchiveWithoutItsEndIsToldSo() throws {
        try expectRefusal(ZipBytes(Self.entries).bytes.dropLast(30), "ends without the directory of a zip archive")
        try expectRefusal(Array("PK".utf8), "is no zip archive")
    }

    @Test func bytesThatNoPartAccountsForAreRefused() throws {
        let archive = ZipBytes(Self.entries)
        try expectRefusal(Array("PKSFX program".utf8) + archive.bytes, "has 13 bytes that no part of a zip archive")
        // Offsets that take the bytes in front into account.
        let moved = ZipBytes([("b", [])] + Self.entries)
        var bytes = moved.bytes
        bytes.removeSubrange(moved.records[0]..<moved.records[1])
        let end = moved.end - (moved.records[1] - moved.records[0])
        for (field, value) in [(8, 2), (10, 2), (12, end - moved.records[0])] {
            bytes.replaceSubrange(end + field..<end + field + 2, with: littleEndian(UInt64(value), 2))
        }
        try expectRefusal(bytes, "begins with 31 bytes that belong to no entry")
    }

    @Test(arguments: [
        ("/a", "is an absolute path"), ("../a", "leads out of the archive"), ("a/../b", "leads out of the archive"),
        ("a\\b", "has a backslash"), ("a\0b", "has a NUL"), ("", "is empty"),
        (String(repeating: "a", count: 4097), "is longer than 4096 bytes"),
    ])
    func aNameThatIsNoPlainPathIsRefused(name: String, expected: String) throws {
        try expectRefusal(ZipBytes(Self.entries + [(name, [])]).bytes, expected)
    }

    @Test func aNameThatIsNotUTF8IsRefused() throws {
        var archive = ZipBytes(Self.entries + [("b", [])])
        archive.bytes[archive.records[2] + 46] = 0xFF
        try expectRefusal(archive.bytes, "is not UTF-8")
    }

    @Test func equalNamesAreRefused() throws {
        try expectRefusal(ZipBytes(Self.entries + [("b", []), ("b", [])]).bytes, "has two entries \"b\"")
        // Canonically equivalent names are equal as strings.
        try expectRefusal(ZipBytes(Self.entries + [("\u{E9}", []), ("e\u{301}", [])]).bytes, "has two entries")
    }

    @Test func fieldsOfTheDirectoryThatAreNotReadAreRefused() throws {
        let archive = ZipBytes(Self.entries)
        let record = archive.records[1]
        let examples: [(field: Int, width: Int, value: UInt64, expected: String)] = [
            (0, 4, 0, "its directory has no entry at byte"),
            (8, 2, 1, "entry \"a/version\" is encrypted"),
            (8, 2, 0x40, "is encrypted"),
            (8, 2, 0x20, "has the flags 20"),
            (10, 2, 12, "in its own header"),
            (20, 4, 1, "is stored in 1 bytes and said to have 2"),
            (24, 4, 1, "is stored in 2 bytes and said to have 1"),
            (24, 4, 0xFFFF_FFFF, "lacks its zip64 sizes"),
            (28, 2, 0xFFFF, "its directory ends within an entry"),
            (30, 2, 0xFFFF, "its directory ends within an entry"),
            (32, 2, 0xFFFF, "its directory ends within an entry"),
            (34, 2, 1, "lies on another disk"),
            (42, 4, 0xFFFF_FFF0, "lies beyond the archive's entries"),
            (42, 4, 1, "overlaps another"),
            (16, 4, 1, "has another size or CRC-32 in its own header"),
        ]
        for example in examples {
            let bytes = archive.with(example.value, at: record + example.field, width: example.width)
            try expectRefusal(bytes, example.expected)
        }
    }

    @Test func aHeaderThatDisagreesWithTheDirectoryIsRefused() throws {
        let archive = ZipBytes(Self.entries)
        let header = archive.headers[1]
        let examples: [(field: Int, width: Int, value: UInt64, expected: String)] = [
            (0, 4, 0, "has no header at byte \(header)"),
            (6, 2, 2, "has other flags or another method"),
            (8, 2, 8, "has other flags or another method"),
            (14, 4, 1, "has another size or CRC-32"),
            (18, 4, 1, "has another size or CRC-32"),
            (22, 4, 1, "has another size or CRC-32"),
            (22, 4, 0, "has another size or CRC-32"),
            (26, 2, 0xFFFF, "lies beyond the archive's entries"),
            (26, 2, 3, "is called \"a/v\" in its own header"),
            (28, 2, 0xFFFF, "lies beyond the archive's entries"),
            (30, 1, 0x62, "is called \"b/version\" in its own header"),
        ]
        for example in examples {
            try expectRefusal(
                archive.with(example.value, at: header + example.field, width: example.width), example.expected)
        }
    }

    @Test func sizesBehindTheBytesMustAgree() throws {
        let archive = ZipBytes(Self.entries, sizesFollow: true)
        let behind = archive.data[1] + 2
        for field in [4, 8, 12] {
            try expectRefusal(
                archive.with(9, at: behind + field, width: 4), "has another size or CRC-32 behind its bytes")
        }
    }

    @Test func compressedEntriesAreRefusedWithTheWayOut() throws {
        var archive = ZipBytes(Self.entries)
        for place in [archive.records[1] + 10, archive.headers[1] + 8] { archive.bytes[place] = 93 }
        try expectRefusal(archive.bytes, "entry \"a/version\" is compressed (zstd, method 93), expected stored")
        let problem = weightFileProblem { _ = try WeightFileFormat.open(weightFixture("compressed.npz")) }
        #expect(
            problem == "entry \"weight.npy\" is compressed (deflate, method 8), expected stored; "
                + "save the arrays with numpy.savez, not savez_compressed")
    }

    /// Fifield's zip bomb: many records of one entry's bytes.
    @Test func entriesThatShareBytesAreRefused() throws {
        let archive = ZipBytes(Self.entries + [("b", [1, 2, 3]), ("b", [1, 2, 3])])
        let place = UInt64(archive.headers[2])
        var bytes = archive.with(place, at: archive.records[3] + 42, width: 4)
        try expectRefusal(bytes, "overlaps another; the file is damaged or hostile")
        // One entry within the bytes of another.
        let inner = ZipBytes([("b", [7])]).bytes
        let outer = ZipBytes(Self.entries + [("c", Array(inner[..<32])), ("b", [7])])
        bytes = outer.with(UInt64(outer.data[2]), at: outer.records[3] + 42, width: 4)
        try expectRefusal(bytes, "overlaps another; the file is damaged or hostile")
    }

    @Test func fieldsAtTheEndThatAreWrongAreRefused() throws {
        let archive = ZipBytes(Self.entries)
        let examples: [(field: Int, width: Int, value: UInt64, expected: String)] = [
            (4, 2, 1, "is one of several disks"), (6, 2, 1, "is one of several disks"),
            (8, 2, 1, "is one of several disks"), (8, 4, 0x3_0003, "its directory has no entry at byte"),
            (8, 4, 0x1_0001, "bytes behind its 1 entries"),
            (12, 4, 0xFFFF_FFFF, "at most 65536 in 16777216 are read"),
            (12, 4, 0xFF_FFFF, "reaches beyond the file"), (16, 4, 0xFFFF_FFFF, "reaches beyond the file"),
            (16, 4, 0, "bytes that no part of a zip archive accounts for"),
            (20, 2, 1, "ends without the directory"),
        ]
        for example in examples {
            try expectRefusal(
                archive.with(example.value, at: archive.end + example.field, width: example.width), example.expected)
        }
    }

    @Test func aZip64RecordThatIsWrongIsRefused() throws {
        let archive = ZipBytes(Self.entries, wide: true)
        let record = archive.end - 76
        let examples: [(place: Int, width: Int, value: UInt64, expected: String)] = [
            (archive.end - 16, 4, 1, "is one of several disks"),
            (archive.end - 12, 8, .max, "its zip64 record lies beyond the place that points to it"),
            (archive.end - 12, 8, 0, "has no zip64 record where it should be"),
            (archive.end - 4, 4, 2, "is one of several disks"),
            (record, 4, 0, "has no zip64 record where it should be"),
            (record + 4, 8, 45, "has no zip64 record where it should be"),
            (record + 4, 8, .max, "has no zip64 record where it should be"),
            (record + 16, 4, 1, "is one of several disks"),
            (record + 24, 8, 3, "its zip64 record disagrees"),
            (record + 32, 8, .max, "its zip64 record disagrees"),
            (record + 40, 8, .max, "its zip64 record disagrees"),
            (record + 48, 8, .max, "its zip64 record disagrees"),
        ]
        for example in examples {
            try expectRefusal(archive.with(example.value, at: example.place, width: example.width), example.expected)
        }
        var wide = archive
        for place in archive.end + 8..<archive.end + 20 { wide.bytes[place] = 0xFF }
        #expect(try values(wide.bytes) == 1)
        try expectRefusal(wide.with(1 << 40, at: record + 24, width: 8), "is one of several disks")
        var many = wide
        many.bytes.replaceSubrange(record + 24..<record + 32, with: littleEndian(1 << 40, 8))
        try expectRefusal(many.with(1 << 40, at: record + 32, width: 8), "its directory has 1099511627776 entries")
        try expectRefusal(wide.with(.max, at: record + 48, width: 8), "reaches beyond the file")
    }

    @Test func wideSizesOfAnEntryAreRead() throws {
        // numpy writes zip64 sizes into every header, torch and it into the directory where 32 bits are too few.
        let file = try NPZFile(path: weightFixture("arrays.npz"))
        #expect(file.names.count == 18)
    }

    @Test func checksOfEveryLengthAreThoseOfTheNaiveLoop() throws {
        // Files of 0 to 40 floats: the tables take 16 bytes at a time.
        let directory = try TemporaryDirectory()
        for count in 0...40 {
            let floats = (0..<count).map { Float($0) * 0.37 }
            let path = try directory.write(torchFile(floats: floats, shape: [count], strides: [1]), as: "a.pt")
            #expect(try PyTorchFile(path: path).floats("t") == floats)
        }
    }
}
