import LinearAlgebra
import Synchronization
import Tokenization

/// A model's weights: in memory, packed for products, or read from the file when a pass needs them.
final class ModelWeights: Sendable {
    let layout: LayerLayout
    /// The weight of the final norm, `[dModel]`; ones where it has none.
    let finalNorm: Matrix
    /// The bias of the final norm, `[dModel]`, if it has one.
    let finalNormBias: Matrix?
    /// The bias of the unembedding, `[vocabularySize]`, if it has one.
    let unembeddingBias: Matrix?
    /// Learned positions, `[positions × dModel]`, if the model has them.
    private let positions: Matrix?
    /// The tensors as they are stored.
    let file: WeightFile
    /// What products take.
    let precision: Precision
    /// Whether everything is in memory.
    var isResident: Bool { residentLayers != nil }

    private let configuration: LanguageModelConfiguration
    private let workers: Workers
    /// The layers; for an unusable one the error.
    private let residentLayers: [Result<ResidentLayer, LanguageModelError>]?
    private let residentEmbedding: ResidentRows?
    /// The embedding itself if they are tied.
    private let residentUnembedding: ResidentRows?
    /// The tensors that were looked through for infinities and NaNs where they lie in the file.
    private let checkedTensors = Mutex<Set<String>>([])

    /// How many rows of the unembedding are widened at a time where it is not in memory.
    static let unembeddingBlock = 4096

    /// Opens the weights of a model directory.
    ///
    /// - Throws: `.weights`, `.tensorShape`, `.nonFiniteWeight` for the final norm.
    init(
        directory: String, configuration: LanguageModelConfiguration, workers: Workers, residency: WeightResidency,
        precision: Precision
    ) throws(LanguageModelError) {
        self.configuration = configuration
        self.precision = precision
        self.workers = workers
        layout = LayerLayout(configuration)
        file = try WeightFile(directory: directory, configuration: configuration, layout: layout)
        let (rows, d) = (configuration.vocabularySize, configuration.dModel)
        if let name = file.finalNormName {
            finalNorm = try file.matrix(name, rows: 1, columns: d, workers: workers)
        } else {
            finalNorm = Matrix(rows: 1, columns: d, elements: [Float](repeating: 1, count: d))
        }
        if configuration.addsOneToNorms { for place in 0..<d { finalNorm.pointer[place] += 1 } }
        var bias: Matrix?
        if let name = file.finalNormBiasName { bias = try file.matrix(name, rows: 1, columns: d, workers: workers) }
        finalNormBias = bias
        bias = nil
        if let name = file.unembeddingBiasName, file.hasUnembedding {
            bias = try file.matrix(name, rows: 1, columns: rows, workers: workers)
        }
        unembeddingBias = bias
        var positions: Matrix?
        if let name = file.positionsName, let count = configuration.learnedPositions {
            positions = try file.matrix(name, rows: count, columns: d, workers: workers)
        }
        self.positions = positions

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

        var layers: [Result<ResidentLayer, LanguageModelError>] = []
        let buffer = Matrix(rows: 1, columns: layout.count)
        let storage = MatrixStorage()
        for layer in 0..<configuration.layerCount {
            do throws(LanguageModelError) {
                let resident = try ResidentLayer(
                    layer, of: file, model: configuration, layout: layout, buffer: buffer, precision: precision,
                    in: storage, workers: workers)
                layers.append(.success(resident))
            } catch {
                layers.append(.failure(error))
            }
        }
        residentLayers = layers
        let embedding = try ResidentRows(
            file.embeddingName, of: file, rows: rows, columns: d, in: storage, workers: workers)
        residentEmbedding = embedding
        if file.isTied {
            residentUnembedding = embedding
        } else if file.hasUnembedding {
            residentUnembedding = try ResidentRows(
                file.unembeddingName, of: file, rows: rows, columns: d, in: storage, workers: workers)
        } else {
            residentUnembedding = nil
        }
    }

    /// The weights of a layer; `scratch` is made at the first call that needs it.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func layer(_ layer: Int, scratch: inout LayerScratch?) throws(LanguageModelError) -> LayerWeights {
        if let residentLayers {
            let resident = try residentLayers[layer].get()
            return LayerWeights(
                layout: layout, vectors: resident.vectors, matrices: packed(resident.matrices, precision))
        }
        let room = scratch ?? LayerScratch()
        scratch = room
        if precision == .bf16, let stored = try storedMatrices(of: layer) {
            let vectors = room.buffer(count: layout.vectorCount)
            try file.read(layer: layer, layout: layout, vectorsOnly: true, into: vectors, workers: workers)
            return LayerWeights(layout: layout, vectors: vectors, matrices: stored)
        }

        let buffer = room.buffer(count: layout.count)
        try file.read(layer: layer, layout: layout, into: buffer, workers: workers)
        switch precision {
        case .f32:
            let rows = LayerMatrices<WeightMatrix>(layout, of: configuration) { offset, _, _ in
                .rows(UnsafePointer(buffer.pointer + offset))
            }
            return LayerWeights(layout: layout, vectors: buffer, matrices: rows)
        case .bf16:
            let rounded = room.round(buffer, layout: layout, of: configuration, workers: workers)
            return LayerWeights(layout: layout, vectors: buffer, matrices: packed(rounded, .bf16))
        }
    }

    private func packed(
        _ matrices: LayerMatrices<PackedMatrix>, _ precision: Precision
    ) -> LayerMatrices<WeightMatrix> {
        let all = matrices.all
        var next = 0
        return LayerMatrices(layout, of: configuration) { _, _, _ in
            next += 1
            return .packed(all[next - 1], precision)
        }
    }

    /// The matrices of a layer where they lie in the file; nil unless all are bf16 there, as they are wanted.
    ///
    /// - Throws: `.nonFiniteWeight`.
    private func storedMatrices(of layer: Int) throws(LanguageModelError) -> LayerMatrices<WeightMatrix>? {
        let matrices = layout.entries.filter { $0.offset >= layout.vectorCount }
        guard matrices.allSatisfy({ $0.arrangement == .asStored && file.isHalved(file.name(of: $0, layer: layer)) })
        else { return nil }
        return try LayerMatrices(layout, of: configuration) {
            offset, outputs, inputs throws(LanguageModelError) -> WeightMatrix in
            var parts: [BF16Matrix] = []
            for entry in layout.entries(at: offset, count: outputs * inputs) {
                parts.append(
                    try stored(file.name(of: entry, layer: layer), rows: entry.count / inputs, columns: inputs))
            }
            return .stored(parts)
        }
    }

    /// A tensor of bf16 where it lies in the file, looked through for infinities and NaNs once.
    ///
    /// - Throws: `.nonFiniteWeight`.
    private func stored(_ name: String, rows: Int, columns: Int) throws(LanguageModelError) -> BF16Matrix {
        let matrix = try file.map(name, rows: rows, columns: columns)
        guard !checkedTensors.withLock({ $0.contains(name) }) else { return matrix }
        if let element = matrix.firstNonFinite(workers: workers) {
            try checkMappedFiles()
            throw file.nonFinite(name, element: element)
        }
        checkedTensors.withLock { _ = $0.insert(name) }
        return matrix
    }

    /// Checks that what was read where it lies in the files was there: before a result is used.
    ///
    /// - Throws: `.weights`.
    func checkMappedFiles() throws(LanguageModelError) {
        guard precision == .bf16, !isResident else { return }
        try file.checkMappings()
    }

    /// Writes the embeddings of tokens of the vocabulary, scaled and with those of their positions where the model has
    /// such, to the rows of `target` `[tokens × dModel]`.
    ///
    /// - Parameter places: the position of each token in its sequence.
    /// - Throws: `.nonFiniteWeight`.
    func embed(_ tokens: [TokenID], at places: [Int32], into target: Matrix) throws(LanguageModelError) {
        let d = configuration.dModel
        let scale = configuration.embeddingScale
        for (row, token) in tokens.enumerated() {
            let values = target.row(row)
            if let residentEmbedding {
                try residentEmbedding.copyRow(Int(token), to: values)
            } else {
                let first = Int(token) * d
                try file.read(file.embeddingName, elements: first..<first + d, into: values)
            }
            if scale != 1 { for place in 0..<d { values[place] *= scale } }
            if let positions {
                let learned = positions.row(Int(places[row]))
                for place in 0..<d { values[place] += learned[place] }
            }
        }
    }

    /// Checks that there is an unembedding.
    ///
    /// - Throws: `.noUnembedding`.
    func checkUnembedding() throws(LanguageModelError) {
        guard file.hasUnembedding else {
            throw .noUnembedding(name: file.unembeddingName, path: file.paths.first ?? "")
        }
    }

    /// Checks that there is an unembedding whose rows for these tokens have neither infinities nor NaNs.
    ///
    /// - Throws: `.noUnembedding`, `.nonFiniteWeight`.
    func checkUnembedding(of tokens: Range<Int>) throws(LanguageModelError) {
        try checkUnembedding()
        if let residentUnembedding { return try residentUnembedding.check(tokens) }
        var scratch: Matrix?
        for first in stride(from: tokens.lowerBound, to: tokens.upperBound, by: Self.unembeddingBlock) {
            _ = try unembedding(
                of: first..<min(first + Self.unembeddingBlock, tokens.upperBound), scratch: &scratch)
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
            try residentUnembedding.copyRow(token, to: row.pointer)
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
        let d = configuration.dModel
        let rows = max(tokens.count, min(Self.unembeddingBlock, configuration.vocabularySize))
        let widened = scratch.flatMap { $0.rows >= rows ? $0 : nil } ?? Matrix(scratchRows: rows, columns: d)
        scratch = widened
        if let residentUnembedding {
            try residentUnembedding.check(tokens)
            workers.forEach(tokens.count, tile: 64) { part, _ in
                for row in part { residentUnembedding.matrix.copyRow(tokens.lowerBound + row, to: widened.row(row)) }
            }
            return UnsafePointer(widened.pointer)
        }
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
        if let residentUnembedding {
            try residentUnembedding.check(0..<vocabulary)
            // Weights of f32 are the embedding's as well, which is no operand of a product.
            let precision = file.isHalved(unembeddingName) ? precision : .f32
            workers.multiply(
                rows: rows.rows, outputs: vocabulary, inputs: d, rows.pointer, stride: d,
                byTransposeOf: .packed(residentUnembedding.matrix, precision), into: logits.pointer,
                stride: vocabulary)
            return logits
        }

        if precision == .bf16, file.hasUnembedding, file.isHalved(unembeddingName) {
            let matrix = try stored(unembeddingName, rows: vocabulary, columns: d)
            workers.multiply(
                rows: rows.rows, rows.pointer, stride: d, byTransposeOf: matrix, into: logits.pointer,
                stride: vocabulary)
            try checkMappedFiles()
            return logits
        }

        var scratch: Matrix?
        for first in stride(from: 0, to: vocabulary, by: Self.unembeddingBlock) {
            let tokens = first..<min(first + Self.unembeddingBlock, vocabulary)
            let weights = try unembedding(of: tokens, scratch: &scratch)
            workers.multiply(
                rows: rows.rows, columns: tokens.count, inner: d, rows.pointer, stride: d,
                byTransposeOf: weights, stride: d, into: logits.pointer + first, stride: vocabulary)
        }
        return logits
    }

    /// Bytes in memory of what one token's pass reads: the layers, the final norm, the unembedding. Nil unless the weights
    /// are in memory.
    var bytesPerToken: Int? {
        guard let residentLayers else { return nil }
        return residentLayers.reduce((residentUnembedding?.matrix.byteCount ?? 0) + finalNorm.count * 4) {
            $0 + ((try? $1.get().byteCount) ?? 0)
        }
    }

    private var unembeddingName: String {
        file.isTied ? file.embeddingName : file.unembeddingName
    }
}
