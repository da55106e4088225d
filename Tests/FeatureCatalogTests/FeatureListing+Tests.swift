import FeatureCatalog
import Testing

extension FeatureListing {
    /// A listing that names its columns.
    init(
        _ columns: String..., of key: IndexingKey, in catalog: Catalog,
        where conditions: [(column: String, comparison: FeatureCondition.Comparison, value: CatalogValue)] = [],
        order: String? = nil, isDescending: Bool = false
    ) throws {
        let known = try SummaryColumns(of: catalog)
        self.init(key: key)
        self.columns = try columns.map { try #require(known[$0]) }
        self.conditions = try conditions.map {
            FeatureCondition(try #require(known[$0.column]), $0.comparison, $0.value)
        }
        self.order = try order.map { try #require(known[$0]) }
        self.isDescending = isDescending
    }
}
