import FeatureCatalog

extension Sequence {
    /// The sum of what parts counted.
    ///
    /// - Throws: `CatalogError` `.damaged` if it is beyond 64 bits, as no text is.
    func checkedSum(of name: String, _ count: (Element) -> Int) throws(CatalogError) -> Int {
        var total = 0
        for element in self {
            let (sum, overflow) = total.addingReportingOverflow(count(element))
            guard !overflow else { throw CatalogError(.damaged, "\(name) of the parts is too large to be added up") }
            total = sum
        }
        return total
    }
}
