// SPDX-License-Identifier: MIT
//
// `hotlane pools`: generates bounded pools from the contracts of messages.
#include "cli/commands/commands.h"
#include "cli/pools/generate/header.h"
#include "cli/pools/generate/identifier.h"
#include "cli/pools/generate/inputs.h"
#include "cli/pools/generate/output_directory.h"
#include "cli/pools/generate/table.h"
#include "cli/text/text_file.h"
#include "text/writer.h"

#include <filesystem>
#include <memory>

namespace hotlane::cli {

namespace {

constexpr int kStale = 3;

struct PoolsOptions {
    InputOptions inputs;
    HeaderOptions header;
    std::string directory;
    std::string depfile;
};

/// Returns the header that belongs to the inputs, or nothing after all problems were printed.
std::optional<Inputs> read_or_complain(const PoolsOptions& options) {
    Problems problems;
    Inputs inputs = read_inputs(options.inputs, problems);
    if (problems.empty()) {
        return inputs;
    }
    for (const std::string& line : problems.lines()) {
        message(line);
    }
    return std::nullopt;
}

std::string text_of(const PoolsOptions& options, const Inputs& inputs) {
    HeaderOptions header = options.header;
    for (const std::string& file : inputs.files) {
        header.sources.push_back(std::filesystem::path{file}.filename());
    }
    return header_text(inputs.plan, header);
}

void write_depfile(const PoolsOptions& options, const Inputs& inputs, const std::string& target) {
    const std::filesystem::path file{options.depfile};
    const std::string directory = file.has_parent_path() ? file.parent_path().string() : ".";
    replace_file(directory, file.filename(), dependency_rule(target, inputs.files));
}

int generate(const PoolsOptions& options, const Inputs& inputs) {
    const std::string name = header_file_name(inputs.plan, options.header.language);
    const std::string text = text_of(options, inputs);
    if (!options.depfile.empty()) {
        write_depfile(options, inputs, std::filesystem::path{options.directory} / name);
    }
    replace_file(options.directory, name, text);
    return 0;
}

int show(const PoolsOptions& /*options*/, const Inputs& inputs) {
    write_file("-", plan_table(inputs.plan));
    return 0;
}

int check(const PoolsOptions& options, const Inputs& inputs) {
    const std::string text = text_of(options, inputs);
    const std::filesystem::path file =
        std::filesystem::path{options.directory} / header_file_name(inputs.plan, options.header.language);
    std::error_code error;
    if (std::filesystem::is_regular_file(file, error) &&
        std::filesystem::file_size(file, error) == text.size() &&
        read_file_up_to(file, text.size()) == text) {
        return 0;
    }
    message("pools: ", file.string(), " is not what `hotlane pools generate` makes of its inputs now");
    return kStale;
}

void add_inputs(CLI::App& command, PoolsOptions& options) {
    InputOptions& inputs = options.inputs;
    command.add_option("CONTRACT", inputs.contract, "Messages: YAML, .proto, or a FileDescriptorSet")
        ->type_name("");
    command.add_option("--config", inputs.config, "TOML file with the table [service.NAME]")
        ->type_name("FILE")
        ->required();
    command.add_option("--service", inputs.service, "The service; the only one of the file by default")
        ->type_name("NAME");
    command.add_option("--bounds", inputs.bounds, "Bounds of fields that the contract has none for")
        ->type_name("FILE");
    command.add_option("-I,--proto-path", inputs.import_paths, "Where imports of a .proto file are searched")
        ->type_name("DIR")
        ->allow_extra_args(false);
    const auto set_rule = [&inputs](const std::string& rule) {
        if (rule != "power-of-two" && rule != "tight") {
            throw CLI::ValidationError{"--classes", "\"" + rule + "\" is not one of power-of-two|tight"};
        }
        inputs.rule = rule == "tight" ? ClassRule::tight : ClassRule::power_of_two;
    };
    command
        .add_option_function<std::string>("--classes", set_rule,
                                          "Powers of two from 128 (the default), or multiples of 64")
        ->type_name("power-of-two|tight");
}

void add_outputs(CLI::App& command, PoolsOptions& options) {
    const auto set_language = [&options](const std::string& language) {
        if (language != "c++" && language != "c") {
            throw CLI::ValidationError{"--lang", "\"" + language + "\" is not one of c++|c"};
        }
        options.header.language = language == "c" ? Language::c : Language::cpp;
    };
    command
        .add_option_function<std::string>("--lang", set_language, "Language of the header; c++ by default")
        ->type_name("c++|c");
    const auto set_namespace = [&options](const std::string& name) {
        if (const std::string wrong = identifier_problem(name, kLongestService);
            !wrong.empty() || name.find_first_of("-.") != name.npos) {
            throw CLI::ValidationError{"--namespace", "\"" + name + "\" is not the name of a C++ namespace"};
        }
        options.header.name_space = name;
    };
    command
        .add_option_function<std::string>("--namespace", set_namespace,
                                          "C++ namespace of the messages and the class; none by default")
        ->type_name("NAME");
    command.add_option("-o,--output", options.directory, "Directory of the header SERVICE_pools.hpp or .h")
        ->type_name("DIR")
        ->required();
}

using Action = int (*)(const PoolsOptions& options, const Inputs& inputs);

int run_action(const PoolsOptions& options, const char* name, Action action) {
    if (options.inputs.contract.empty()) {
        message("pools: missing CONTRACT: hotlane pools ", name, " --config FILE [OPTIONS] CONTRACT");
        return kFailed;
    }
    try {
        const std::optional<Inputs> inputs = read_or_complain(options);
        return inputs ? action(options, *inputs) : kBadFile;
    } catch (const FileError& error) {
        message(error.what());
        return kBadFile;
    }
}

/// Adds `hotlane pools NAME`, which reads the inputs and then runs `action`.
CLI::App* add_action(CLI::App& pools, Invocation& invocation, const char* name, const char* help,
                     Action action, const std::shared_ptr<PoolsOptions>& options) {
    CLI::App* command = pools.add_subcommand(name, help);
    add_inputs(*command, *options);
    command->callback([options, action, name, &invocation] {
        if (options->inputs.contract.empty() &&
            invocation.after_dashes.value_or(std::vector<std::string>{}).size() == 1) {
            options->inputs.contract = invocation.after_dashes->front();
        }
        invocation.status = run_action(*options, name, action);
    });
    return command;
}

}  // namespace

void add_pools(CLI::App& app, Invocation& invocation) {
    CLI::App* pools = app.add_subcommand("pools", "Generate bounded pools from the contracts of messages");
    pools->require_subcommand(1);
    auto options = std::make_shared<PoolsOptions>();
    CLI::App* command = add_action(*pools, invocation, "generate",
                                   "Write a header with the pools of a service", generate, options);
    add_outputs(*command, *options);
    command
        ->add_option("--depfile", options->depfile,
                     "Also write what the header depends on, for make and ninja")
        ->type_name("FILE");
    add_action(*pools, invocation, "show", "Print the messages with their sizes, classes and capacities",
               show, options);
    command = add_action(*pools, invocation, "check", "Exit with 3 if the header in DIR is not up to date",
                         check, options);
    add_outputs(*command, *options);
    pools->footer(
        "Exit status 2: an input is wrong or unreadable; 3: check found a header that is not up to date.");
}

}  // namespace hotlane::cli
