import LinearAlgebra
import Tokenization

/// A model's weights, in memory as fp32 or read from the file whenever a pass needs them.
final class ModelWeights: Sendable {
    let layout: LayerLayout
    /// `model.norm.weight`, `[dModel]`.
    let finalNorm: Matrix
    /// The tensors as they are stored.
    let file: WeightFile
    /// Whether everything is in memory.
    var isResident: Bool { residentLayers != nil }

    private let configuration: LanguageModelConfiguration
    private let workers: Workers
    /// The layers; for one that cannot be used what is wrong with it.
    private let residentLayers: [Result<Matrix, LanguageModelError>]?
    private let residentEmbedding: ResidentRows?
    /// The embedding itself if they are tied.
    private let residentUnembedding: ResidentRows?

    /// How many rows of the unembedding are widened at a time where it is not in memory.
    static let unembeddingBlock = 4096

    /// Opens the weights of a model directory.
    ///
    /// - Throws: `.weights`, `.tensorShape`, `.nonFiniteWeight` for the final norm.
    init(
        directory: String, configuration: LanguageModelConfiguration, workers: Workers, residency: WeightResidency
    ) throws(LanguageModelError) {
        self.configuration = configuration
        self.workers = workers
        layout = LayerLayout(configuration)
        file = try WeightFile(directory: directory, configuration: configuration, layout: layout)
        finalNorm = Matrix(rows: 1, columns: configuration.dModel)
        try file.read(WeightFile.finalNormName, elements: 0..<configuration.dModel, into: finalNorm.pointer)

        let resident =
            switch residency {
            case .resident: true
            case .streamed: false
            case .automatic: configuration.parameterCount * 4 < WeightResidency.automaticLimit
            }
        guard resident else {
            (residentLayers, residentEmbedding, residentUnembedding) = (nil, nil, nil)
            return
        }
        var layers: [Result<Matrix, LanguageModelError>] = []
        for layer in 0..<configuration.layerCount {
            let buffer = Matrix(rows: 1, columns: layout.count)
            do throws(LanguageModelError) {
                try file.read(layer: layer, layout: layout, into: buffer, workers: workers)
                layers.append(.success(buffer))
            } catch {
                layers.append(.failure(error))
            }
        }
        residentLayers = layers
        let (rows, d) = (configuration.vocabularySize, configuration.dModel)
        let embedding = try ResidentRows(WeightFile.embeddingName, of: file, rows: rows, columns: d, workers: workers)
        residentEmbedding = embedding
        if configuration.tiesEmbeddings {
            residentUnembedding = embedding
        } else if file.hasUnembedding {
            residentUnembedding = try ResidentRows(
                WeightFile.unembeddingName, of: file, rows: rows, columns: d, workers: workers)
        } else {
            residentUnembedding = nil
        }
    }

    /// The weights of a layer; `scratch` is made at the first call and used if they are not in memory.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func layer(_ layer: Int, scratch: inout Matrix?) throws(LanguageModelError) -> LayerWeights {
        if let residentLayers { return LayerWeights(layout: layout, buffer: try residentLayers[layer].get()) }
        let buffer = scratch ?? Matrix(rows: 1, columns: layout.count)
        scratch = buffer
        try file.read(layer: layer, layout: layout, into: buffer, workers: workers)
        return LayerWeights(layout: layout, buffer: buffer)
    }

    /// Writes the embeddings of tokens of the vocabulary to the rows of `target` `[tokens × dModel]`.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func embed(_ tokens: [TokenID], into target: Matrix) throws(LanguageModelError) {
        let d = configuration.dModel
        for (row, token) in tokens.enumerated() {
            if let residentEmbedding {
                try residentEmbedding.check(Int(token)..<Int(token) + 1)
                target.row(row).update(from: residentEmbedding.matrix.row(Int(token)), count: d)
            } else {
                let first = Int(token) * d
                try file.read(WeightFile.embeddingName, elements: first..<first + d, into: target.row(row))
            }
        }
    }

    /// Checks that there is an unembedding.
    ///
    /// - Throws: `.noUnembedding`.
    func checkUnembedding() throws(LanguageModelError) {
        guard file.hasUnembedding else {
            throw .noUnembedding(name: WeightFile.unembeddingName, path: file.paths.first ?? "")
        }
    }

    /// One row of the unembedding, `[dModel]`.
    ///
    /// - Throws: `.noUnembedding`, `.nonFiniteWeight`.
    func unembeddingRow(_ token: Int) throws(LanguageModelError) -> [Float] {
        try checkUnembedding()
        let d = configuration.dModel
        let row = Matrix(rows: 1, columns: d)
        if let residentUnembedding {
            try residentUnembedding.check(token..<token + 1)
            row.pointer.update(from: residentUnembedding.matrix.row(token), count: d)
        } else {
            try file.read(unembeddingName, elements: token * d..<(token + 1) * d, into: row.pointer)
        }
        return row.elements
    }

    /// The rows of the unembedding for a range of tokens, `[tokens × dModel]`, valid as long as this and `scratch` live
    /// and `scratch` is not used again; `scratch` is made when it is needed, with room for `unembeddingBlock` rows.
    ///
    /// - Throws: `.noUnembedding`, `.nonFiniteWeight`.
    func unembedding(
        of tokens: Range<Int>, scratch: inout Matrix?
    ) throws(LanguageModelError) -> UnsafePointer<Float> {
        try checkUnembedding()
        if let residentUnembedding {
            try residentUnembedding.check(tokens)
            return UnsafePointer(residentUnembedding.matrix.row(tokens.lowerBound))
        }
        let d = configuration.dModel
        let rows = max(tokens.count, min(Self.unembeddingBlock, configuration.vocabularySize))
        let widened = scratch.flatMap { $0.rows >= rows ? $0 : nil } ?? Matrix(scratchRows: rows, columns: d)
        scratch = widened
        try file.read(
            unembeddingName, elements: tokens.lowerBound * d..<tokens.upperBound * d, into: widened.pointer,
            workers: workers)
        return UnsafePointer(widened.pointer)
    }

    /// `rows` times the transposed unembedding, `[rows × vocabularySize]`.
    ///
    /// - Throws: `.noUnembedding`, `.nonFiniteWeight`.
    func unembed(_ rows: Matrix) throws(LanguageModelError) -> Matrix {
        let (d, vocabulary) = (configuration.dModel, configuration.vocabularySize)
        let logits = Matrix(scratchRows: rows.rows, columns: vocabulary)
        let block = isResident ? vocabulary : Self.unembeddingBlock
        var scratch: Matrix?
        for first in stride(from: 0, to: vocabulary, by: block) {
            let tokens = first..<min(first + block, vocabulary)
            let weights = try unembedding(of: tokens, scratch: &scratch)
            workers.multiply(
                rows: rows.rows, columns: tokens.count, inner: d, rows.pointer, stride: d,
                byTransposeOf: weights, stride: d, into: logits.pointer + first, stride: vocabulary)
        }
        return logits
    }

    private var unembeddingName: String {
        configuration.tiesEmbeddings ? WeightFile.embeddingName : WeightFile.unembeddingName
    }
}
