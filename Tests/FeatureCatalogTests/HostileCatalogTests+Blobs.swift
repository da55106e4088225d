import CatalogMigrations
import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing
import Vocabulary

/// Frames and arrays that do not hold what they declare.
extension HostileCatalogTests {
    /// Frames that claim, or decompress to, far more than expected.
    static let bombs: [(String, [UInt8])] = [
        // A header without anything behind it: one segment, eight bytes of size.
        ("a claim of 2^62 bytes", [0x28, 0xB5, 0x2F, 0xFD, 0xE4, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0]),
        ("a claim of 1 GiB", [0x28, 0xB5, 0x2F, 0xFD, 0xA4, 0, 0, 0, 0x40, 1, 0, 0, 1, 2, 3, 4]),
        ("a gigabyte of zeros", HostileFrames.zeros(1 << 30)),
        ("200 MB of zeros", HostileFrames.zeros(200_000_000)),
        ("no size", HostileFrames.zeros(1000, withSize: false)),
        ("no checksum", HostileFrames.zeros(1000, withChecksum: false)),
        ("nothing", []), ("four bytes", [0x28, 0xB5, 0x2F, 0xFD]),
        ("two frames", HostileFrames.zeros(24) + HostileFrames.zeros(24)),
        ("a skippable frame", [0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]),
    ]

    static let blobColumns: [(table: String, column: String, reading: String)] = [
        ("document", "token_ids", "document"), ("tensor_chunk", "values", "readTensorRows"),
        ("score", "detail", "scores"),
    ]

    @Test("Frames larger than declared are not unpacked", arguments: blobColumns.indices, bombs.indices)
    func bombsAreNotSetOff(column: Int, bomb: Int) throws {
        let ((table, name, reading), (what, bytes)) = (Self.blobColumns[column], Self.bombs[bomb])
        try attack { database in
            try database.execute(sql: "UPDATE \(table) SET \"\(name)\" = ?", arguments: [Data(bytes)])
        }

        let result = try read()
        #expect(result.codes(of: reading).contains(.damaged), "\(table) with \(what)")
        #expect(result.problems?.isEmpty == false)
        #expect(result.digest == nil || table == "tensor_chunk")
    }

    @Test(
        "Large frames with matching counts are bounded",
        arguments: [
            // The number beside a blob lies along with it.
            ("UPDATE document SET token_ids = ?, n_tokens = 268435456", 1 << 30),
            ("UPDATE document SET token_ids = ?, n_tokens = 9223372036854775807", 1 << 30),
            ("UPDATE document SET token_ids = ?, n_tokens = -1", 4),
            (
                """
                UPDATE dictionary_tensor SET shape = '[1,134217728]', n_rows = 1, row_length = 134217728,
                    rows_per_chunk = 1; UPDATE tensor_chunk SET "values" = ?, n_rows = 1
                """, 1 << 29
            ),
            ("UPDATE score SET detail = ?", 1 << 26),
        ])
    func bombsWithMatchingNumbers(sql: String, size: Int) throws {
        let frame = Data(HostileFrames.zeros(size))
        try attack { database in
            for statement in sql.split(separator: ";") {
                let arguments: StatementArguments = statement.contains("?") ? [frame] : []
                try database.execute(sql: String(statement), arguments: arguments)
            }
        }

        let result = try read()
        #expect(result.problems?.isEmpty == false, "\(sql)")
    }

    @Test func aThousandWindowsOfAMillionTokens() throws {
        // No byte of activations, and yet each window would take four megabytes.
        let count = 3000
        try attack { database in
            let starts = String(repeating: "0", count: (1 << 20) + 1)
            try database.execute(
                sql: "UPDATE passage SET n_tokens = 1048576, token_starts = ?; UPDATE indexing SET window = 1048576",
                arguments: [starts])
            let trigger = try dropInsertTrigger(database)
            for rank in 10..<10 + count {
                try database.execute(
                    sql: """
                        INSERT INTO feature_context (dictionary_id, feature_index, corpus_id, band, rank, passage_id,
                            position, layer, activation) VALUES (1, 0, 1, 1, ?, 1, ?, 0, 1)
                        """,
                    arguments: [rank, rank])
            }
            try database.execute(sql: trigger)
        }

        let result = try read()
        #expect(result.codes(of: "contexts").contains(.damaged))
        #expect(result.problems?.isEmpty == false)
    }

    @Test(
        "Malformed `other_activations` are damage",
        arguments: [
            "", "{", "{}", "[]", "null", "{\"0\":1", "{\"0\":}", "{\"0\":1,}", "{\"0\":1,\"0\":1}", "{\"1\":1,\"0\":1}",
            "{\"99999999999999999999\":1}", "{\"-1\":1}", "{\"00\":1}", "{\"0\":1e99}", "{\"0\":nan}", "{\"0\":0x1}",
            "{\"0\":\"1\"}", "{\"0\":0}", "{0:1}", "{\"99\":1}", "{ \"0\":1}",
        ])
    func otherActivationsOfNoForm(text: String) throws {
        try attack { database in
            try database.execute(
                sql: "UPDATE feature_context SET other_activations = ? WHERE feature_index = 0", arguments: [text])
        }

        let result = try read()
        #expect(result.codes(of: "contexts") == [.damaged], "\(text)")
        #expect(result.problems?.isEmpty == false)
    }

    @Test("`other_activations` with a million entries are damage") func otherActivationsWithoutEnd() throws {
        try attack { database in
            try database.execute(
                sql: """
                    UPDATE feature_context SET
                        other_activations = '{' || replace(hex(zeroblob(1000000)), '00', '"0":1,') || '"1":1}'
                    """)
        }
        #expect(try read().codes(of: "contexts") == [.damaged])
    }

    @Test(arguments: [
        ("UPDATE dictionary_tensor SET dtype = 'f64'", CatalogError.Code.damaged),
        ("UPDATE dictionary_tensor SET dtype = 'f16'", .damaged),
        ("UPDATE dictionary_tensor SET shape = '[4,4]'", .damaged),
        ("UPDATE dictionary_tensor SET shape = '[-2,2]'", .damaged),
        ("UPDATE dictionary_tensor SET shape = '[4611686018427387904,4611686018427387904]'", .damaged),
        (
            "UPDATE dictionary_tensor SET shape = '[9223372036854775807,0]', n_rows = 9223372036854775807, row_length = 0",
            .damaged
        ),
        ("UPDATE dictionary_tensor SET shape = '[2,2,1e9]'", .damaged),
        ("UPDATE dictionary_tensor SET shape = '{}'", .damaged), ("UPDATE dictionary_tensor SET shape = 'x'", .damaged),
        ("UPDATE dictionary_tensor SET shape = replace(hex(zeroblob(100000)), '00', '[')", .damaged),
        ("UPDATE dictionary_tensor SET rows_per_chunk = 0", .damaged),
        ("UPDATE dictionary_tensor SET rows_per_chunk = -1", .damaged),
        ("UPDATE dictionary_tensor SET rows_per_chunk = 9223372036854775807", .damaged),
        ("UPDATE dictionary_tensor SET rows_per_chunk = 1", .damaged),
        ("UPDATE dictionary_tensor SET n_rows = 1", .damaged),
        ("UPDATE tensor_chunk SET n_rows = 9223372036854775807", .damaged),
        ("UPDATE tensor_chunk SET first_row = -1", .damaged), ("UPDATE tensor_chunk SET first_row = 1", .damaged),
        ("DELETE FROM tensor_chunk", .damaged),
    ])
    func wrongTypesAndShapesOfTensors(sql: String, code: CatalogError.Code) throws {
        try attack { try $0.execute(sql: sql) }
        let result = try read()
        #expect(result.codes(of: "readTensorRows").contains(code), "\(sql)")
        #expect(result.problems?.isEmpty == false, "\(sql)")
    }
}
