import LinearAlgebra

/// The weights of one decoder layer: norms and biases as fp32, and four matrices. What the model does not have is nil.
struct LayerWeights {
    /// The weight and bias of a norm, each `[width]`; nil where it has none.
    struct Norm {
        let weight: UnsafePointer<Float>?
        let bias: UnsafePointer<Float>?
    }

    let matrices: LayerMatrices<WeightMatrix>

    let attentionNorm: Norm?
    let queriesKeysValuesBias: UnsafePointer<Float>?
    let queryNorm: UnsafePointer<Float>?
    let keyNorm: UnsafePointer<Float>?
    let attentionOutputBias: UnsafePointer<Float>?
    let attentionOutputNorm: Norm?
    let feedForwardNorm: Norm?
    let feedForwardInputBias: UnsafePointer<Float>?
    let feedForwardOutputBias: UnsafePointer<Float>?
    let feedForwardOutputNorm: Norm?

    /// What the norms and biases lie in.
    private let vectors: Matrix

    /// - Parameter vectors: a row that begins with the norms and biases, laid out as `layout` says, with the sides that it
    ///   says.
    init(layout: LayerLayout, vectors: Matrix, matrices: LayerMatrices<WeightMatrix>) {
        func vector(_ offset: Int?) -> UnsafePointer<Float>? { offset.map { UnsafePointer(vectors.pointer + $0) } }
        func norm(_ place: LayerLayout.Norm?) -> Norm? {
            place.map { Norm(weight: vector($0.weight), bias: vector($0.bias)) }
        }

        self.vectors = vectors
        self.matrices = matrices
        attentionNorm = norm(layout.attentionNorm)
        queriesKeysValuesBias = vector(layout.queriesKeysValuesBias)
        queryNorm = vector(layout.queryNorm)
        keyNorm = vector(layout.keyNorm)
        attentionOutputBias = vector(layout.attentionOutputBias)
        attentionOutputNorm = norm(layout.attentionOutputNorm)
        feedForwardNorm = norm(layout.feedForwardNorm)
        feedForwardInputBias = vector(layout.feedForwardInputBias)
        feedForwardOutputBias = vector(layout.feedForwardOutputBias)
        feedForwardOutputNorm = norm(layout.feedForwardOutputNorm)
    }
}
