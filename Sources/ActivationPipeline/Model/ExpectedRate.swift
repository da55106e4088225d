package import LanguageModel
package import LinearAlgebra

/// How many tokens a second a model is expected to read and to generate on this machine: from the arithmetic and the bytes
/// that a token costs, and the rates of products of such sizes, timed for a moment.
package struct ExpectedRate: Sendable {
    /// Tokens a second, where text is read in large batches up to the last layer.
    package let reading: Double
    /// Tokens a second, where they are generated one by one.
    package let generating: Double

    /// The part of a pass's time that its products take, the rest being attention and what is between the products: about
    /// this much at contexts of a few hundred tokens, for all families.
    private static let shareOfProducts = 0.8
    /// The same where tokens are generated one by one, which leaves more between the products.
    private static let shareOfReading = 0.65

    /// Times products of the model's width for about half a second.
    package init(_ model: LanguageModelConfiguration, workers: Workers) {
        let tables = Double(model.vocabularySize) * Double(model.dModel)
        let positions = Double(model.learnedPositions ?? 0) * Double(model.dModel)
        let inLayers =
            max(Double(model.parameterCount) - tables * (model.tiesEmbeddings ? 1 : 2) - positions, 1)
        let width = model.dModel
        let operations = Self.operationsPerSecond(width: width, outputs: min(model.dFeedForward, 4096), workers)
        reading = Self.shareOfProducts * operations / (2 * inLayers)
        let isHalved = model.storedType == "bfloat16" && ModelFolder.isResident(model)
        generating =
            Self.shareOfReading * Self.bytesPerSecond(width: width, workers)
            / ((isHalved ? 2 : 4) * (inLayers + tables))
    }

    /// Multiplications and additions a second of products with many rows.
    private static func operationsPerSecond(width: Int, outputs: Int, _ workers: Workers) -> Double {
        let rows = 512
        let (input, output) = (Matrix(rows: rows, columns: width), Matrix(rows: rows, columns: outputs))
        let weights = Matrix(rows: outputs, columns: width)
        let packed = PackedMatrix(weights.pointer, rows: outputs, columns: width, halved: false, workers: workers)
        let seconds = fastest {
            workers.multiply(
                rows: rows, input.pointer, stride: width, byTransposeOf: packed, into: output.pointer, stride: outputs)
        }
        return 2 * Double(rows) * Double(outputs) * Double(width) / seconds
    }

    /// Bytes of weights a second of products with one row, from memory.
    private static func bytesPerSecond(width: Int, _ workers: Workers) -> Double {
        // Larger than any cache.
        let outputs = max((256 << 20) / (4 * width), 16)
        let (input, output) = (Matrix(rows: 1, columns: width), Matrix(rows: 1, columns: outputs))
        let packed = PackedMatrix(rows: outputs, columns: width, halved: false, wide: true)
        let zeros = Matrix(rows: packed.panelRows, columns: width)
        for first in stride(from: 0, to: outputs, by: packed.panelRows) {
            packed.pack(first..<min(first + packed.panelRows, outputs), from: zeros.pointer)
        }
        let seconds = fastest {
            workers.multiply(
                rows: 1, input.pointer, stride: width, byTransposeOf: packed, into: output.pointer, stride: outputs)
        }
        return Double(packed.byteCount) / seconds
    }

    /// The shortest time of several, over about a quarter of a second.
    private static func fastest(_ body: () -> Void) -> Double {
        let clock = ContinuousClock()
        let begin = clock.now
        var best = Double.infinity
        var count = 0
        while count < 2 || begin.duration(to: clock.now) < .milliseconds(250) {
            let time = clock.measure(body)
            best = min(best, Double(time.components.attoseconds) * 1e-18 + Double(time.components.seconds))
            count += 1
        }
        return max(best, 1e-9)
    }
}
