// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let flyingFox: Target.Dependency = .product(name: "FlyingFox", package: "FlyingFox")
let flyingSocks: Target.Dependency = .product(name: "FlyingSocks", package: "FlyingFox")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")

/// The program holds Swift's libraries and C++'s itself, the symbols of other programs' debuggers left out, and lies at a
/// fixed address: loading them, and binding a hundred thousand symbols and addresses, would take longer than a short query.
/// The compiler names the libraries that modules use; these are the ones that Foundation itself stands on. Set for the
/// program alone: tests need the loaded ones.
let linkedStatically = [
    "-static-stdlib", "-lswiftSynchronization", "-lCoreFoundation", "-l_FoundationCollections", "-l_FoundationCShims",
    "-l_FoundationICU", "-L", "\(Context.packageDirectory)/tools/link", "-lstdc++", "-Xclang-linker", "-static-libgcc",
    "-Xclang-linker", "-no-pie", "-Xlinker", "-s",
]
let onLinux = BuildSettingCondition.when(platforms: [.linux], configuration: .release)

/// One of our libraries.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

/// The tests of one target.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        swiftSettings: swiftSettings)
}

/// What every workflow stands on.
let pipeline: [Target.Dependency] = [
    "ActivationPipeline", "CKernels", "FeatureCatalog", "JSON", "LanguageModel", "LinearAlgebra", "RandomNumbers",
    "Safetensors", "SparseCoding", "SparseTraining", "Tokenization", "Vocabulary", crypto,
]

/// The tests of a workflow, which may stand on any other.
func workflowTests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    let others = ["CatalogMaintenance", "Evaluation", "Indexing", "Scoring", "Steering", "Training"]
    let named = others.filter { $0 != name }.map { Target.Dependency.byName(name: $0) }
    return tests(
        name,
        (name == "ActivationPipeline" ? Array(pipeline.dropFirst()) : pipeline) + named
            + ["FeatureScoring", "WorkflowWorlds", grdb, grdbSQLite] + dependencies)
}

let package = Package(
    name: "RouteSAE",
    products: [
        .executable(name: "routesae", targets: ["routesae"]),
        .library(name: "RouteSAE", targets: ["RouteSAE"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    ],
    targets: [
        // System libraries.
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // The words that all sides share.
        library("Vocabulary"),

        // JSON.
        library("JSON"),

        // Numbers.
        .target(name: "CKernels"),
        library("RandomNumbers"),
        library("LinearAlgebra", ["CKernels", "RandomNumbers"]),

        // The language model's side.
        .target(name: "CFileMapping"),
        library("Safetensors", ["CFileMapping", "JSON"]),
        library("Tokenization", ["JSON", "RandomNumbers"]),
        library("ChatTemplate"),
        library("LanguageModel", ["CKernels", "JSON", "LinearAlgebra", "Safetensors", "Tokenization"]),

        // Dictionaries.
        library("SparseCoding", ["CKernels", "LinearAlgebra", "RandomNumbers", "Safetensors", "Vocabulary"]),
        library("SparseTraining", ["CKernels", "LinearAlgebra", "SparseCoding", "Safetensors", "Vocabulary"]),

        library(
            "DictionaryExchange",
            ["CKernels", "JSON", "LinearAlgebra", "Safetensors", "SparseCoding", "Vocabulary"]),

        // The catalog's side.
        .target(
            name: "CatalogMigrations", path: "migrations",
            resources: [
                .embedInCode("0001_catalog.sql"), .embedInCode("0002_corpora_and_passages.sql"),
                .embedInCode("0003_contexts_moved.sql"), .embedInCode("0004_faster_questions.sql"),
                .embedInCode("0005_verdicts_and_exchanges.sql"), .embedInCode("0006_every_tool.sql"),
                .embedInCode("0007_what_is_encoded.sql"), .embedInCode("0008_equal_bins.sql"),
            ], swiftSettings: swiftSettings),
        .target(name: "CSQLiteRows", linkerSettings: [.linkedLibrary("sqlite3")]),
        library(
            "FeatureCatalog",
            ["CSQLiteRows", "CZstd", "CatalogMigrations", "RandomNumbers", "Vocabulary", crypto, grdb, grdbSQLite]),
        library("FeatureScoring", ["JSON", "RandomNumbers", "Vocabulary"]),

        // Features in a plane.
        library("FeatureMaps", ["LinearAlgebra", "RandomNumbers"]),

        // Other people's language models.
        .target(name: "CCurl"),
        library("ChatEndpoint", ["CCurl", "JSON"]),

        // Where they meet: one way from text to latents, on it one target for each thing that is done.
        library(
            "ActivationPipeline",
            [
                "CKernels", "DictionaryExchange", "FeatureCatalog", "FeatureScoring", "JSON", "LanguageModel",
                "LinearAlgebra", "Safetensors", "SparseCoding", "SparseTraining", "Tokenization", "Vocabulary", crypto,
            ]),
        library("Training", pipeline),
        library("Indexing", pipeline + ["FeatureScoring"]),
        library("Scoring", pipeline + ["ChatEndpoint", "FeatureScoring", "Indexing"]),
        library("Evaluation", pipeline + ["FeatureScoring", "Indexing"]),
        library("Steering", pipeline + ["ChatTemplate"]),
        library("Interchange", pipeline + ["CZlib", "DictionaryExchange", "FeatureScoring"]),
        library(
            "CatalogMaintenance",
            pipeline + ["Evaluation", "FeatureScoring", "Indexing", "Interchange", "Scoring", "Steering", "Training"]),
        library(
            "Benchmarks", pipeline + ["Evaluation", "FeatureScoring", "Indexing", "Scoring", "Training"]),

        // Pages.
        .target(
            name: "CatalogViewer",
            dependencies: pipeline + [
                "CatalogMaintenance", "FeatureMaps", "FeatureScoring", "Indexing", "Interchange", "Steering",
                "TerminalOutput",
            ],
            resources: [
                .embedInCode("Assets/style.css"), .embedInCode("Assets/script.js"), .embedInCode("Assets/map.js"),
                .embedInCode("Assets/static.js"), .embedInCode("Assets/icon.svg"),
            ], swiftSettings: swiftSettings),

        // What other packages see.
        library(
            "RouteSAE",
            [
                "ActivationPipeline", "FeatureCatalog", "Indexing", "LinearAlgebra", "SparseCoding", "SparseTraining",
                "Training", "Vocabulary",
            ]),

        // What a person sees.
        library("TerminalOutput", ["JSON"]),
        .executableTarget(
            name: "routesae",
            dependencies: [
                "ActivationPipeline", "Benchmarks", "CatalogMaintenance", "CatalogViewer", "ChatTemplate",
                "DictionaryExchange",
                "Evaluation", "FeatureCatalog", "FeatureScoring", "Indexing", "Interchange", "JSON", "LanguageModel",
                "LinearAlgebra", "Safetensors", "Scoring", "SparseCoding", "SparseTraining", "Steering",
                "TerminalOutput", "Tokenization", "Training",
                "Vocabulary", argumentParser,
            ],
            swiftSettings: swiftSettings, linkerSettings: [.unsafeFlags(linkedStatically, onLinux)]),

        // Tests.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: swiftSettings),
        .target(
            name: "ChatServerSupport", dependencies: [flyingFox, flyingSocks], path: "Tests/ChatServerSupport",
            swiftSettings: swiftSettings),
        tests("Vocabulary"),
        .target(
            name: "BrowserSupport", dependencies: ["JSON"], path: "Tests/BrowserSupport",
            swiftSettings: swiftSettings),
        tests("JSON"),
        tests("RandomNumbers"),
        tests("LinearAlgebra", ["CKernels", "RandomNumbers"]),
        tests("Safetensors"),
        tests("Tokenization"),
        tests("ChatTemplate"),
        tests("LanguageModel", ["CKernels", "LinearAlgebra", "Safetensors", "Tokenization"]),
        tests("SparseCoding", ["CKernels", "LinearAlgebra", "Safetensors", "Vocabulary"]),
        tests("SparseTraining", ["CKernels", "LinearAlgebra", "SparseCoding", "Safetensors", "Vocabulary"]),
        .testTarget(
            name: "DictionaryExchangeTests",
            dependencies: [
                "CKernels", "DictionaryExchange", "JSON", "LinearAlgebra", "RandomNumbers", "Safetensors",
                "SparseCoding", "TestSupport",
                "Vocabulary",
            ],
            exclude: ["Fixtures"], swiftSettings: swiftSettings),
        tests("FeatureCatalog", ["CatalogMigrations", "CZstd", "Vocabulary", grdb, grdbSQLite]),
        tests("FeatureMaps", ["LinearAlgebra", "RandomNumbers"]),
        tests("FeatureScoring", ["RandomNumbers", "Vocabulary"]),
        tests("ChatEndpoint", ["CCurl", "ChatServerSupport"]),
        tests("TerminalOutput"),
        .target(
            name: "WorkflowWorlds",
            dependencies: pipeline + [
                "CatalogMaintenance", "FeatureScoring", "Indexing", "Scoring", "Steering", "TestSupport", "Training",
                grdb, grdbSQLite,
            ],
            path: "Tests/WorkflowWorlds", swiftSettings: swiftSettings),
        workflowTests("ActivationPipeline"),
        workflowTests("Training"),
        workflowTests("Indexing"),
        workflowTests("Scoring", ["ChatServerSupport"]),
        workflowTests("Evaluation"),
        workflowTests("Steering"),
        workflowTests("Interchange", ["DictionaryExchange"]),
        workflowTests("CatalogMaintenance"),
        .testTarget(
            name: "CatalogViewerTests",
            dependencies: pipeline + [
                "Benchmarks", "BrowserSupport", "CatalogViewer", "Indexing", "Steering", "TestSupport", "Training",
                "WorkflowWorlds", grdb, grdbSQLite,
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "LibraryTests", dependencies: ["RouteSAE", "TestSupport", "WorkflowWorlds"],
            swiftSettings: swiftSettings),
        // They run the program, which 'swift test' builds as well; it is linked in another way.
        .testTarget(
            name: "RouteSAETests", dependencies: ["TestSupport", "ChatServerSupport"],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)
