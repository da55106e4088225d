/// The four matrices of a decoder layer in some form, as `LayerLayout` joins them.
struct LayerMatrices<Form> {
    /// `[(queryHeads + 2 · keyValueHeads) · headDimension × dModel]`
    let queriesKeysValues: Form
    /// `[dModel × queryHeads · headDimension]`
    let attentionOutput: Form
    /// `[2 · dFeedForward × dModel]`; without a gate `[dFeedForward × dModel]`
    let feedForwardInput: Form
    /// `[dModel × dFeedForward]`
    let feedForwardOutput: Form

    /// All of them.
    var all: [Form] { [queriesKeysValues, attentionOutput, feedForwardInput, feedForwardOutput] }

    /// Makes each from where it begins in the layout, and its sides.
    init<Failure: Error>(
        _ layout: LayerLayout, of model: LanguageModelConfiguration,
        _ form: (_ offset: Int, _ outputs: Int, _ inputs: Int) throws(Failure) -> Form
    ) throws(Failure) {
        let (d, hidden) = (model.dModel, model.dFeedForward)
        let attended = model.queryHeads * model.headDimension
        queriesKeysValues = try form(
            layout.queriesKeysValues, attended + 2 * model.keyValueHeads * model.headDimension, d)
        attentionOutput = try form(layout.attentionOutput, d, attended)
        feedForwardInput = try form(layout.feedForwardInput, model.isGated ? 2 * hidden : hidden, d)
        feedForwardOutput = try form(layout.feedForwardOutput, d, hidden)
    }
}

extension LayerMatrices: Sendable where Form: Sendable {}
