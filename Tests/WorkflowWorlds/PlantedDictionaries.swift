package import FeatureCatalog
package import LinearAlgebra
package import TestSupport
import Vocabulary

/// Catalogs with dictionaries of given decoders and nothing else, for what is asked of directions.
package struct PlantedDictionaries {
    let directory: TemporaryDirectory
    package let catalog: Catalog
    private let runID: Int64

    package init(named name: String = "c.sqlite", seed: UInt64 = 1, in directory: TemporaryDirectory) throws {
        self.directory = directory
        catalog = try Catalog.create(at: directory.file(name), replacing: true)
        runID = try catalog.beginRun(kind: .train, config: #"{"batchTokens":64}"#, seed: seed)
        try catalog.recordMetrics(runID: runID, [RunMetric(step: 0, name: "loss", value: 1 / Double(seed))])
        try catalog.finishRun(runID, status: .complete)
    }

    /// Adds a dictionary.
    @discardableResult
    package func add(_ name: String, _ decoder: Matrix, k: Int = 4, threshold: Double = 1) throws -> DictionaryRecord {
        let elements = Array(UnsafeBufferPointer(start: decoder.pointer, count: decoder.count))
        let number = try catalog.addDictionary(
            DictionaryRecord(
                runID: runID, languageModelID: nil, name: name, architecture: .topk, dModel: decoder.columns,
                latentCount: decoder.rows, k: k, layers: [2], fidelity: .corrected, activationThreshold: threshold,
                relativeThreshold: 0.3, configJSON: #"{"configuration":{"k":\#(k)},"training":{"steps":3}}"#),
            tensors: [
                DictionaryTensor(name: "decoder", shape: [decoder.rows, decoder.columns], values: elements)
            ])
        return try catalog.dictionary(number)
    }

    /// Rows drawn at random: no two of them point the same way.
    package static func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
        var generator = CounterGenerator(seed: seed, stream: "planted dictionaries")
        return Matrix(
            rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in 2 * generator.uniform() - 1 })
    }

    /// The rows in another order, each stretched by a number of its own: row `i` of the copy is row `order[i]`.
    package static func permuted(_ decoder: Matrix, seed: UInt64) -> (copy: Matrix, order: [Int]) {
        var generator = CounterGenerator(seed: seed, stream: "orders")
        var order = Array(0..<decoder.rows)
        generator.shuffle(&order)
        let copy = Matrix(rows: decoder.rows, columns: decoder.columns)
        for (row, source) in order.enumerated() {
            let factor = 0.1 + 10 * generator.uniform()
            for column in 0..<decoder.columns { copy[row, column] = factor * decoder[source, column] }
        }
        return (copy, order)
    }
}
