import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct TensorStorageTests {
    private let directory: TemporaryDirectory
    private let catalog: Catalog
    private let runID: Int64

    init() throws {
        directory = try TemporaryDirectory()
        catalog = try Catalog.create(at: directory.file("a.catalog"), replacing: false)
        runID = try catalog.beginRun(kind: .import, config: "{}", seed: nil)
    }

    private func add(_ tensors: [DictionaryTensor], name: String = "d") throws -> Int64 {
        try catalog.addDictionary(
            SampleCatalog.dictionaryRecord(runID: runID, languageModelID: nil, name: name), tensors: tensors)
    }

    @Test func rowsComeBackAcrossChunks() throws {
        // 100 rows of 400 bytes a row are more than one chunk.
        var generator = SplitMix(state: 3)
        let values = (0..<1000 * 100).map { _ in generator.unit() }
        let dictionaryID = try add([DictionaryTensor(name: "w", shape: [1000, 100], values: values)])
        #expect(try catalog.rows(sql: "SELECT count(*) > 3 FROM tensor_chunk").rows == [[1]])
        #expect(try catalog.readTensorRows(dictionaryID: dictionaryID, name: "w") == values)
        for rows in [0..<1, 162..<165, 163..<164, 999..<1000, 500..<500, 0..<1000] {
            #expect(
                try catalog.readTensorRows(dictionaryID: dictionaryID, name: "w", rows: rows)
                    == Array(values[rows.lowerBound * 100..<rows.upperBound * 100]))
        }
        for rows in [-1..<2, 999..<1001, 1001..<1001] {
            expectCatalogError(.notFound) {
                _ = try catalog.readTensorRows(dictionaryID: dictionaryID, name: "w", rows: rows)
            }
        }
        expectCatalogError(.notFound) { _ = try catalog.readTensorRows(dictionaryID: dictionaryID, name: "x") }
    }

    @Test("Tensors of any shape are stored", arguments: [[], [0], [0, 4], [4, 0], [3], [2, 3, 4]] as [[Int]])
    func shapes(shape: [Int]) throws {
        let values = (0..<shape.reduce(1, *)).map(Float.init)
        let dictionaryID = try add([DictionaryTensor(name: "w", shape: shape, values: values)])
        #expect(try catalog.readTensorRows(dictionaryID: dictionaryID, name: "w") == values)
        #expect(try catalog.tensors(dictionaryID: dictionaryID).first?.shape == shape)
        // That no dictionary has such a tensor is all that is wrong with it.
        #expect(try catalog.verify().allSatisfy { $0.place.hasPrefix("dictionary") })
    }

    @Test func roundingToHalf() throws {
        // Ties to even at 2049 and 2051; the largest half, and beyond; subnormals; signs; infinities.
        let values: [Float] = [2049, 2051, 65504, 65520, 5.9604645e-8, -0.0, .infinity, 1 / 3]
        let expected: [Float] = [2048, 2052, 65504, .infinity, 5.9604645e-8, -0.0, .infinity, 0.33325195]
        let dictionaryID = try add([DictionaryTensor(name: "w", dataType: .f16, shape: [8], values: values)])
        let read = try catalog.readTensorRows(dictionaryID: dictionaryID, name: "w")
        #expect(read.map(\.bitPattern) == expected.map(\.bitPattern))
    }

    @Test func roundingToBrainFloat() throws {
        // Eight bits of fraction with the hidden one: 257 is a tie and goes to 256, 259 to 260.
        let values: [Float] = [257, 259, 258, .greatestFiniteMagnitude, -.infinity, -0.0, 1 / 3, .nan]
        let expected: [Float] = [256, 260, 258, .infinity, -.infinity, -0.0, 0.33398438]
        let dictionaryID = try add([DictionaryTensor(name: "w", dataType: .bf16, shape: [8], values: values)])
        let read = try catalog.readTensorRows(dictionaryID: dictionaryID, name: "w")
        #expect(read.prefix(7).map(\.bitPattern) == expected.map(\.bitPattern))
        #expect(read[7].isNaN)
    }

    @Test func theDigestIsOfTheStoredBytes() throws {
        // sha256sum of the bytes 00 00 80 3f, which are 1.0 in f32.
        let dictionaryID = try add([DictionaryTensor(name: "w", shape: [1], values: [1])])
        #expect(
            try catalog.tensors(dictionaryID: dictionaryID) == [
                TensorRecord(
                    name: "w", dataType: .f32, shape: [1],
                    sha256: "e00e5eb9444182f352323374ef4e08ebcb784725fdd4fd612d7730540b3e0c8c")
            ])
    }

    @Test("A failed dictionary leaves no rows") func nothingIsLeftOfADictionaryThatFails() throws {
        struct Stop: Error {}
        let good = DictionaryTensor(name: "a", shape: [2], values: [1, 2])
        let failing = DictionaryTensor(name: "b", dataType: .f32, shape: [2]) { _ in throw Stop() }
        #expect(throws: Stop.self) { try add([good, failing]) }
        expectCatalogError(.invalidValue, containing: "3 values") {
            _ = try add([good, DictionaryTensor(name: "b", dataType: .f32, shape: [2]) { _ in [1, 2, 3] }])
        }
        expectCatalogError(.invalidValue, containing: "shape") {
            _ = try add([DictionaryTensor(name: "b", dataType: .f32, shape: [.max, 2]) { _ in [] }])
        }
        expectCatalogError(.invalidValue, containing: "shape") {
            _ = try add([DictionaryTensor(name: "b", dataType: .f32, shape: [2, -1]) { _ in [] }])
        }
        expectCatalogError(.invalidValue) { _ = try add([good, good]) }
        for table in ["dictionary", "dictionary_tensor", "tensor_chunk"] {
            #expect(try catalog.rows(sql: "SELECT count(*) FROM \(table)").rows == [[0]])
        }
    }

    @Test func everyDamagedByteOfAChunkIsNoticed() throws {
        let values: [Float] = (0..<24).map { Float($0) / 7 }
        let dictionaryID = try add([DictionaryTensor(name: "w", shape: [4, 6], values: values)])
        try catalog.close()
        let queue = try DatabaseQueue(path: catalog.path)
        let frame = try #require(
            try queue.read { try Data.fetchOne($0, sql: "SELECT \"values\" FROM tensor_chunk") })
        for index in frame.indices {
            var damaged = frame
            damaged[index] ^= 0x21
            try queue.write { try $0.execute(sql: "UPDATE tensor_chunk SET \"values\" = ?", arguments: [damaged]) }
            let opened = try Catalog.open(at: catalog.path, mode: .readOnly)
            do {
                #expect(try opened.readTensorRows(dictionaryID: dictionaryID, name: "w") == values)
            } catch {
                #expect(error.code == .damaged)
                #expect(try !opened.verify().isEmpty)
            }
        }
    }

    @Test("Contradicting shapes are found before the weights are read")
    func contradictingShapesAreNoticedBeforeAnythingIsRead() throws {
        let dictionaryID = try add([DictionaryTensor(name: "w", shape: [4, 6], values: .init(repeating: 1, count: 24))])
        try catalog.close()
        for change in [
            "shape = '[9223372036854775807,8]', n_rows = 9223372036854775807, row_length = 8", "n_rows = 5",
            "row_length = 7", "shape = '[4]'", "shape = 'x'", "rows_per_chunk = 4000000000", "dtype = 'f16'",
        ] {
            try DatabaseQueue(path: catalog.path).write { database in
                try database.execute(sql: "SAVEPOINT s; UPDATE dictionary_tensor SET \(change); RELEASE s")
            }

            let opened = try Catalog.open(at: catalog.path, mode: .readOnly)
            expectCatalogError(.damaged) { _ = try opened.readTensorRows(dictionaryID: dictionaryID, name: "w") }
            #expect(try !opened.verify().isEmpty)
            try opened.close()
            try DatabaseQueue(path: catalog.path).write { database in
                try database.execute(
                    sql: """
                        UPDATE dictionary_tensor
                        SET shape = '[4,6]', n_rows = 4, row_length = 6, rows_per_chunk = 2730, dtype = 'f32'
                        """)
            }
        }
    }
}
