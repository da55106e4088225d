import ActivationPipeline
import FeatureCatalog
import Foundation
import LinearAlgebra
import Safetensors
import SparseTraining
import TestSupport
import Training
import WorkflowWorlds

/// Random activations of 240 rows, as files and as a stream; every 15th row is BOS.
struct StreamWorld {
    static let rows = 240
    static let blockRows = 16
    let directory: TemporaryDirectory
    let layers = [2, 5, 7]
    let width = 8
    private let values: [Float]

    init() throws {
        directory = try TemporaryDirectory()
        var generator = CounterGenerator(seed: 3, stream: "stream world")
        values = (0..<Self.rows * 3 * 8).map { _ in generator.uniform() - 0.5 }
    }

    /// The stream's bytes.
    ///
    /// - Parameters:
    ///   - rows: those of the whole text; fewer or more than the files have where asked for.
    ///   - change: changes the rows' values.
    func stream(
        from first: Int = 0, rows: Int = rows, model: String = "m", announced: Int? = nil,
        change: (inout [Float]) -> Void = { _ in }
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let header = ActivationStreamHeader(
            metadata: ["model": model, "bos_token_id": "0"], layers: layers, dModel: width, dtype: .bf16,
            firstRow: first, rows: announced, blockRows: Self.blockRows)
        let writer = try ActivationStreamWriter(header) { bytes += $0 }
        var values = self.values
        change(&values)
        for row in header.firstRow..<rows {
            let place = row % Self.rows * 24
            try writer.append(
                activations: Array(values[place..<place + 24]), tokens: [token(row)], documents: [Int64(row / 15)],
                isPrefix: [row.isMultiple(of: 15) ? 1 : 0])
        }
        try writer.finish()
        return bytes
    }

    private func token(_ row: Int) -> Int64 { row.isMultiple(of: 15) ? 0 : Int64(1 + row % 50) }

    /// Writes the rows to files and returns their paths.
    func files(_ counts: [Int] = [240]) throws -> [String] {
        var first = 0
        return try counts.enumerated().map { number, count in
            defer { first += count }
            let rows = first..<first + count
            let path = directory.file("\(counts.count)-\(number).safetensors")
            let writer = try SafetensorsWriter(
                path: path,
                tensors: [
                    (name: "activations", dtype: .bf16, shape: [count, 3, width]),
                    (name: "token_ids", dtype: .i64, shape: [count]),
                    (name: "document_ids", dtype: .i64, shape: [count]),
                    (name: "is_prefix", dtype: .u8, shape: [count]),
                ], metadata: ["model": "m", "layers": "[2,5,7]", "bos_token_id": "0"], overwrite: true)
            try writer.append("activations", floats: Array(values[first * 24..<(first + count) * 24]))
            try writer.append("token_ids", integers: rows.map(token))
            try writer.append("document_ids", integers: rows.map { Int64($0 / 15) })
            try writer.append("is_prefix", integers: rows.map { $0.isMultiple(of: 15) ? 1 : 0 })
            try writer.finish()
            return path
        }
    }

    /// Settings of one dictionary on the stream.
    func settings(
        steps: Int = 9, shuffleBuffer: Int? = 40, _ change: (inout TrainingSettings) -> Void = { _ in }
    ) -> TrainingSettings {
        var settings = TrainingSettings(
            activations: ["-"], latents: 24, k: 3, batchTokens: 24, steps: steps, shuffle: shuffleBuffer != nil,
            shuffleBuffer: shuffleBuffer, seed: 5, streamSeed: shuffleBuffer == nil ? nil : 9)
        change(&settings)
        return settings
    }

    /// Trains on a stream.
    @discardableResult
    func train(
        _ settings: [TrainingSettings], _ name: String, on bytes: [UInt8], resuming: Bool = false,
        everySteps: Int? = nil, cancelled: @escaping () -> Bool = { false }
    ) throws -> [TrainingRun.Result] {
        let pipe = try PipedStream(bytes)
        defer { withExtendedLifetime(pipe) {} }
        let path = directory.file(name)
        let workers = Workers(threads: 2)
        let checkpoint = TrainingCheckpoint.path(besideCatalog: path)
        let job = try TrainingJob(settings, input: pipe.input, workers: workers)
        let saved = resuming ? try TrainingCheckpoint.read(checkpoint) : nil
        try job.checkBeginning(resuming: saved?.record)
        let catalog =
            resuming ? try Catalog.open(at: path, mode: .readWrite) : try Catalog.create(at: path, replacing: true)
        defer { _ = try? catalog.close() }
        return try TrainingRun(
            job, workers: workers, checkpoints: CheckpointPolicy(path: checkpoint, everySteps: everySteps)
        ).run(into: catalog, resuming: saved, cancelled: cancelled).results
    }

    /// The digests of everything that all runs of a catalog wrote but their settings: weights and curves.
    func results(_ name: String) throws -> [String] {
        let catalog = try Catalog.open(at: directory.file(name), mode: .readOnly)
        defer { _ = try? catalog.close() }
        return try catalog.runs().flatMap { run in
            try catalog.contentDigests(ofRun: run.runID).filter { $0.table == "dictionary_tensor" }.map(\.sha256)
                + catalog.runMetrics(run.runID, name: "loss").map { "\($0.step) \($0.value ?? 0)" }
        }
    }
}
