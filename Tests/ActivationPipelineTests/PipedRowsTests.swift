import ActivationPipeline
import Foundation
import LinearAlgebra
import Safetensors
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import WorkflowWorlds

/// Reading a stream of activations: whole, cut off, damaged, slow or hostile.
@Suite struct PipedRowsTests {
    /// Reads a stream to its end.
    private func read(
        _ bytes: [UInt8], layers: [Int]? = nil, includesPrefix: Bool = true, pause: UInt32 = 0, piece: Int = 1 << 16
    ) throws -> ActivationBatch {
        let piped = try PipedStream(bytes, pause: pause, piece: piece).piped()
        let layers = layers ?? piped.header.layers
        try piped.start()
        let rows = PipedRows(piped, layers: layers, includesPrefix: includesPrefix)
        let batch = ActivationBatch(capacity: 16, layers: layers, dModel: rows.dModel)
        #expect(try rows.append(16, to: batch) == batch.count)
        #expect(try rows.append(0, to: batch) == 0)
        return batch
    }

    /// The problem of a stream that is refused.
    private func problem(_ bytes: [UInt8], _ location: SourceLocation = #_sourceLocation) -> String {
        do {
            _ = try read(bytes)
            Issue.record("the stream was read", sourceLocation: location)
            return ""
        } catch {
            let line = "\(error)"
            #expect(!line.contains("\n") && line.hasPrefix("the pipe: "), sourceLocation: location)
            return line
        }
    }

    private func expectTiny(_ batch: ActivationBatch, rows: [Int], layers: [Int] = [0, 1]) {
        #expect(batch.count == rows.count)
        for (place, row) in rows.enumerated() {
            #expect(batch.tokenIDs[place] == Int32(100 + row))
            #expect(batch.documentIDs[place] == 1 << 40 + Int64(row / 5))
            #expect(batch.drawKeys[place] == ActivationBatch.drawKey(document: 0, position: row))
            let values = layers.flatMap { StreamBytes.values(row, layer: $0) }
            #expect(Array(UnsafeBufferPointer(start: batch.values.row(place), count: values.count)) == values)
        }
    }

    @Test func readsWhatPythonWrote() throws {
        let bytes = try StreamBytes.tiny()
        expectTiny(try read(bytes), rows: Array(0..<10))
        expectTiny(try read(bytes, includesPrefix: false), rows: [1, 2, 3, 4, 6, 7, 8, 9])
        expectTiny(try read(bytes, layers: [4]), rows: Array(0..<10), layers: [1])
        let header = try PipedStream(bytes).piped().header
        #expect(header.metadata["tokenizer"] == "tïny" && header.metadata["bos_token_id"] == "100")
        #expect(header.blockRows == 4 && header.firstRow == 0 && header.rows == nil)
    }

    @Test("The writer writes the bytes that Python writes", arguments: [0, 9])
    func writesWhatPythonWrites(firstRow: Int) throws {
        let expected = try StreamBytes.tiny(firstRow == 0 ? "tiny.stream" : "tiny-from-8.stream")
        let header = ActivationStreamHeader(
            metadata: [
                "model": "tiny", "model_sha256": String(repeating: "ab", count: 32), "tokenizer": "tïny",
                "context": "5",
                "bos_token_id": "100",
            ], layers: [1, 4], dModel: 3, dtype: .bf16, firstRow: firstRow, blockRows: 4)
        // However the rows are divided.
        for part in [1, 3, 10] {
            var bytes: [UInt8] = []
            let writer = try ActivationStreamWriter(header) { bytes += $0 }
            for start in stride(from: header.firstRow, to: 10, by: part) {
                let rows = start..<min(start + part, 10)
                let values = rows.flatMap { StreamBytes.values($0, layer: 0) + StreamBytes.values($0, layer: 1) }
                let documents = rows.map { (1 << 40) + Int64($0 / 5) }
                let marks: [UInt8] = rows.map { $0.isMultiple(of: 5) ? 1 : 0 }
                try writer.append(
                    activations: values, tokens: rows.map { 100 + Int64($0) },
                    documents: documents, isPrefix: marks)
            }
            try writer.finish()
            #expect(bytes == expected)
            #expect(writer.row == 10)
        }
    }

    @Test func aBlockHasAtMostEightMebibytes() {
        func rows(_ layers: Int, _ width: Int) -> Int {
            ActivationStreamHeader(metadata: [:], layers: Array(0..<layers), dModel: width, dtype: .bf16).blockRows
        }
        #expect(rows(1, 64) == 4096 && rows(9, 256) == 1024 && rows(9, 2048) == 128 && rows(80, 65536) == 1)
    }

    @Test("A slow producer changes nothing", arguments: [1, 7, 500])
    func aSlowProducerChangesNothing(piece: Int) throws {
        expectTiny(
            try read(StreamBytes.tiny(), pause: piece == 1 ? 50 : 2000, piece: piece), rows: Array(0..<10))
    }

    @Test("A stream cut off after any byte is known to be incomplete")
    func aStreamCutAnywhereIsKnown() throws {
        let bytes = try StreamBytes.tiny()
        let header = StreamBytes.headerLength(bytes)
        for count in 0..<bytes.count {
            let error = #expect(throws: WorkflowError.self) { try read(Array(bytes.prefix(count))) }
            switch error {
            case .interrupted(let line)?:
                #expect(count >= header && line.contains("the stream was cut off after row"))
            case .badInput(_, let line)?:
                #expect(
                    count < header && (line.contains("is empty") || line.contains("ends within the stream's header")))
            default: Issue.record("\(count): \(String(describing: error))")
            }
        }
    }

    @Test("A changed byte never goes unnoticed")
    func aChangedByteIsNoticed() throws {
        let bytes = try StreamBytes.tiny()
        for place in StreamBytes.headerLength(bytes)..<bytes.count {
            var changed = bytes
            changed[place] ^= 0x41
            #expect(throws: WorkflowError.self, "byte \(place)") { try read(changed) }
        }
    }

    @Test func changedHeadersEndInOneLine() throws {
        let bytes = try StreamBytes.tiny()
        for place in 0..<StreamBytes.headerLength(bytes) {
            for mask: UInt8 in [0x01, 0x10, 0x80] {
                var changed = bytes
                changed[place] ^= mask
                // Names may be other names; nothing may crash or hang.
                do { _ = try read(changed) } catch { #expect(!"\(error)".contains("\n")) }
            }
        }
    }

    @Test func everyRuleOfTheHeaderIsChecked() throws {
        func changed(_ old: String, _ new: String) throws -> String {
            problem(
                try StreamBytes.withHeader { text in
                    #expect(text.contains(old))
                    return text.replacing(old, with: new)
                })
        }
        #expect(try changed("activation-stream-1", "activation-stream-2").contains("this program reads routesae-"))
        #expect(try changed("routesae-activation-stream-1", "routesae-activations-1").contains("name the file itself"))
        #expect(try changed("\"format\"", "\"formal\"").contains("names no format"))
        #expect(try changed("[1,4]", "[4,1]").contains("do not name 2 layers in ascending order"))
        #expect(try changed("[1,4]", "[1]").contains("do not name 2 layers"))
        #expect(try changed("\"layers\"", "\"loyers\"").contains("do not name 2 layers"))
        #expect(try changed("\"first_row\":\"0\"", "\"first_row\":\"-4\"").contains("first_row is '-4'"))
        #expect(try changed("\"first_row\":\"0\"", "\"first_row\":\"2\"").contains("a multiple of a block's rows, 4"))
        #expect(try changed("\"first_row\":\"0\"", "\"first_row\":\"9e99\"").contains("first_row is '9e99'"))
        #expect(
            try changed("\"first_row\":\"0\"", "\"first_row\":\"99999999999999999999\"").contains("expected a number"))
        #expect(try changed("\"first_row\":\"0\"", "\"first_row\":\"8\",\"rows\":\"4\"").contains("row 8 of only 4"))
        #expect(try changed("\"bos_token_id\":\"100\"", "\"bos_token_id\":\"x\"").contains("bos_token_id is 'x'"))
        #expect(try changed("is_prefix", "is_suffix").contains("expected token_ids, document_ids, activations and"))
        #expect(try changed("\"shape\":[4,2,3]", "\"shape\":[4,3,2]").contains("do not name 3 layers"))
        #expect(try changed("\"shape\":[4,2,3]", "\"shape\":[4,6,1]").contains("width above 1"))
        #expect(
            try changed("\"shape\":[4,2,3]", "\"shape\":[24]").contains("expected F32, F16 or BF16 [rows of a block"))
        #expect(try changed("\"dtype\":\"BF16\"", "\"dtype\":\"I16\"").contains("expected F32, F16 or BF16"))
        #expect(try changed("\"dtype\":\"U8\"", "\"dtype\":\"I8\"").contains("is_prefix are I8 [4]; expected U8 [4]"))
        #expect(
            try changed("\"dtype\":\"I64\",\"shape\":[4]", "\"dtype\":\"F64\",\"shape\":[4]").contains("expected I64"))
        #expect(try changed("{\"__metadata__\"", "[\"__metadata__\"").contains("header is damaged"))
    }

    @Test func sizesAreCheckedBeforeMemoryIsTaken() throws {
        let claimed = withUnsafeBytes(of: UInt64.max.littleEndian, Array.init) + [0x7B]
        #expect(problem(claimed).contains("claims a header of 18446744073709551615 bytes"))
        #expect(problem([0, 0, 0, 0, 0, 0, 0, 0]).contains("claims a header of 0 bytes"))
        for (rows, width) in [(1 << 17, 2), (1 << 16, 1 << 20), (1, 1 << 32)] {
            let bytes = try BlockOfHeader.bytes(rows: rows, width: width)
            #expect(problem(bytes).contains("allowed: 65536 rows and 1 GiB"))
        }
    }

    @Test func everyRuleOfABlockIsChecked() throws {
        #expect(
            try frame {
                $0[0] = 0x52; $0[1] = 0x4F; $0[2] = 0
            }.contains("neither a block nor the end"))
        #expect(try frame { $0[5] = 1 }.contains("neither a block nor the end"))
        #expect(try frame { $0[15] = 0x80 }.contains("neither a block nor the end"))
        #expect(try frame { $0[8] = 1 }.contains("block 1 follows, expected block 0"))
        #expect(try frame { $0[16] = 0 }.contains("block 0 has 0 rows"))
        #expect(try frame { $0[16] = 5 }.contains("block 0 has 5 rows"))
        #expect(try frame { $0[23] = 0x20 }.contains("rows of 29 bytes"))
        #expect(try frame { $0[24] = 9 }.contains("rows in 9 bytes; expected up to 4 rows of 29 bytes"))
        #expect(try frame { $0[31] = 0x3F }.contains("after row 0"))
    }

    @Test func blocksThatAreLostReorderedOrRepeatedAreRefused() throws {
        let bytes = try StreamBytes.tiny()
        let start = StreamBytes.headerLength(bytes)
        let (full, last) = (32 + 4 * 29 + 32, 32 + 2 * 29 + 32)
        let header = Array(bytes[..<start])
        let blocks = [
            Array(bytes[start..<start + full]), Array(bytes[start + full..<start + 2 * full]),
            Array(bytes[start + 2 * full..<start + 2 * full + last]), Array(bytes[(start + 2 * full + last)...]),
        ]
        expectTiny(try read(header + blocks.joined()), rows: Array(0..<10))
        func order(_ places: Int...) -> String { problem(header + places.flatMap { blocks[$0] }) }
        #expect(order(1, 0, 2, 3).contains("block 1 follows, expected block 0"))
        #expect(order(0, 2, 3).contains("block 2 follows, expected block 1"))
        #expect(order(0, 0, 1, 2, 3).contains("block 0 follows, expected block 1"))
        #expect(order(0, 1, 3).contains("block 3 follows, expected block 2"))
        #expect(order(0, 1, 2, 2).contains("block 2 follows, expected block 3"))
        // What follows the end is not read.
        expectTiny(try read(header + blocks.joined() + [1, 2, 3]), rows: Array(0..<10))
    }

    @Test func rowsThatCannotBeUsedAreNamed() throws {
        func row(_ change: (inout RowsOfBlock) -> Void) throws -> String {
            var block = RowsOfBlock()
            change(&block)
            return problem(try block.bytes())
        }
        #expect(try row { $0.tokens[2] = 1 << 31 }.contains("row 2 of the stream: token id 2147483648"))
        #expect(try row { $0.tokens[1] = .min }.contains("token id -9223372036854775808"))
        #expect(try row { $0.marks[3] = 2 }.contains("row 3 of the stream: is_prefix is 2; allowed: 0 and 1"))
        #expect(
            try row { $0.values[3 * 6 + 4] = .nan }.contains(
                "row 3 of the stream: an activation holds an infinity or a NaN, or is too large to square (layer 4"))
        #expect(try row { $0.values[0] = -.infinity }.contains("layer 1, a token of id 100"))
        #expect(try row { $0.values[0] = 1e30 }.contains("too large to square"))
        // Documents may have any number, and layers that nobody asked for may hold anything.
        var block = RowsOfBlock()
        block.documents[0] = .min
        block.values[3] = .nan
        let bytes = try block.bytes()
        #expect(try read(bytes, layers: [1]).documentIDs[0] == .min)
    }

    @Test("A wait ends when it is cancelled, and takes no processor time")
    func aWaitEndsWhenItIsCancelled() throws {
        let bytes = try StreamBytes.tiny()
        for count in [0, 5, StreamBytes.headerLength(bytes), StreamBytes.headerLength(bytes) + 200] {
            let begun = ContinuousClock.now
            let open = try PipedStream(Array(bytes.prefix(count)), staysOpen: true) {
                ContinuousClock.now - begun > .milliseconds(700)
            }
            let before = ProcessorTime.ofThisThread
            let error = #expect(throws: WorkflowError.self) {
                let piped = try open.piped()
                try piped.start()
                let rows = PipedRows(piped, layers: [1, 4], includesPrefix: true)
                _ = try rows.append(10, to: ActivationBatch(capacity: 10, layers: [1, 4], dModel: 3))
            }
            #expect(ProcessorTime.ofThisThread - before < .milliseconds(100))
            #expect(ContinuousClock.now - begun < .seconds(5))
            guard case .interrupted(let line)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(line.contains("stopped while waiting for the stream"))
        }
    }

    @Test func aDescriptorThatIsNoneIsRefused() {
        #expect(throws: WorkflowError.badInput(path: "x", problem: "cannot be read (Bad file descriptor)")) {
            try PipedActivations(StreamInput(descriptor: 9999, name: "x"), batchTokens: 4)
        }
    }

    /// The problem of the fixture with the frame of its first block changed and its checksum made right again.
    private func frame(_ change: (inout [UInt8]) -> Void) throws -> String {
        problem(try RowsOfBlock().bytes(changingFrame: change))
    }
}
