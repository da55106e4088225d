extension CatalogInspection {
    /// Checks the activations on other tokens of a feature's contexts.
    mutating func checkActivations(
        _ contexts: [InspectedContext], of feature: Int, _ index: InspectedIndex, _ passages: InspectedPassages
    ) {
        for context in contexts {
            // Windows outside their passage have been reported.
            guard let range = context.window(index, passages) else { continue }
            let isValid = OtherActivations.isValid(
                context.otherActivations, peak: context.position - range.lowerBound,
                activation: Float(context.activation), length: range.count)
            guard !isValid else { continue }
            add(
                "contexts of feature \(feature) of dictionary \(index.key.dictionaryID) on corpus \(index.key.corpusID)",
                "other_activations are not of the form, or of another window")
            return
        }
    }
}
