package hydrofhir.sandbox;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.binary.api.IBinaryStorageSvc;
import ca.uhn.fhir.jpa.binstore.DatabaseBinaryContentStorageSvcImpl;
import ca.uhn.fhir.jpa.config.HibernatePropertiesProvider;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.config.util.ResourceCountCacheUtil;
import ca.uhn.fhir.jpa.dao.FulltextSearchSvcImpl;
import ca.uhn.fhir.jpa.dao.IFulltextSearchSvc;
import ca.uhn.fhir.jpa.dao.search.HSearchSortHelperImpl;
import ca.uhn.fhir.jpa.dao.search.IHSearchSortHelper;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirPostgresDialect;
import ca.uhn.fhir.jpa.search.IStaleSearchDeletingSvc;
import ca.uhn.fhir.jpa.search.StaleSearchDeletingSvcImpl;
import ca.uhn.fhir.jpa.util.ResourceCountCache;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import jakarta.persistence.EntityManagerFactory;
import java.util.Properties;
import javax.sql.DataSource;
import org.hibernate.dialect.Dialect;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/** What HAPI needs below its FHIR layer: the database, and the storage rules that the switches choose. */
@Configuration(proxyBeanMethods = false)
public class Storage {

    @Bean
    public JpaStorageSettings jpaStorageSettings(
            @Value("${sandbox.id-policy}") JpaStorageSettings.ClientIdStrategyEnum idPolicy,
            @Value("${sandbox.bundle-limit}") int bundleLimit,
            @Value("${sandbox.multiple-delete}") boolean multipleDelete,
            @Value("${sandbox.referential-integrity}") boolean referentialIntegrity) {
        JpaStorageSettings settings = new JpaStorageSettings();
        settings.setResourceClientIdStrategy(idPolicy);
        if (idPolicy == JpaStorageSettings.ClientIdStrategyEnum.ANY) {
            // A client may now choose "7", so the server must not hand out numbers of its own.
            settings.setResourceServerIdStrategy(JpaStorageSettings.IdStrategyEnum.UUID);
        }
        if (bundleLimit > 0) {
            settings.setMaximumTransactionBundleSize(bundleLimit);
        }
        settings.setAllowMultipleDelete(multipleDelete);
        settings.setEnforceReferentialIntegrityOnWrite(referentialIntegrity);
        settings.setEnforceReferentialIntegrityOnDelete(referentialIntegrity);
        return settings;
    }

    @Bean
    public PartitionSettings partitionSettings() {
        return new PartitionSettings();
    }

    @Bean
    public SubscriptionSettings subscriptionSettings() {
        return new SubscriptionSettings();
    }

    /** The SQL dialect follows the database URL. */
    @Bean
    public Dialect sqlDialect(@Value("${spring.datasource.url}") String url) {
        if (url.startsWith("jdbc:postgresql:")) {
            return new HapiFhirPostgresDialect();
        }
        if (url.startsWith("jdbc:h2:")) {
            return new HapiFhirH2Dialect();
        }
        throw new IllegalArgumentException("spring.datasource.url must begin with jdbc:h2: or jdbc:postgresql:");
    }

    @Bean
    @Primary
    public HibernatePropertiesProvider hibernatePropertiesProvider(Dialect dialect) {
        return new HibernatePropertiesProvider() {
            @Override
            public Dialect getDialect() {
                return dialect;
            }
        };
    }

    @Bean
    @Primary
    public LocalContainerEntityManagerFactoryBean entityManagerFactory(
            ConfigurableListableBeanFactory beans,
            FhirContext fhir,
            JpaStorageSettings settings,
            DataSource database,
            Dialect dialect) {
        Properties hibernate = new Properties();
        hibernate.put("hibernate.dialect", dialect.getClass().getName());
        hibernate.put("hibernate.hbm2ddl.auto", "update");
        // The entities are named by HAPI, not found by scanning jars; there is no full-text index.
        hibernate.put("hibernate.archive.scanner", "org.hibernate.boot.archive.scan.internal.DisabledScanner");
        hibernate.put("hibernate.search.enabled", "false");
        LocalContainerEntityManagerFactoryBean factory =
                HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, settings);
        factory.setPersistenceUnitName("sandbox");
        factory.setDataSource(database);
        factory.setJpaProperties(hibernate);
        return factory;
    }

    @Bean
    @Primary
    public JpaTransactionManager transactionManager(EntityManagerFactory entityManagerFactory) {
        return new JpaTransactionManager(entityManagerFactory);
    }

    @Bean
    public IFulltextSearchSvc fullTextSearch() {
        return new FulltextSearchSvcImpl();
    }

    @Bean
    public IHSearchSortHelper fullTextSort(ISearchParamRegistry searchParameters) {
        return new HSearchSortHelperImpl(searchParameters);
    }

    @Bean
    public IStaleSearchDeletingSvc staleSearches() {
        return new StaleSearchDeletingSvcImpl();
    }

    @Bean
    public IBinaryStorageSvc binaryContent() {
        return new DatabaseBinaryContentStorageSvcImpl();
    }

    /** HAPI looks this one up by its name. */
    @Bean("myResourceCountsCache")
    public ResourceCountCache resourceCounts(IFhirSystemDao<?, ?> system) {
        return ResourceCountCacheUtil.newResourceCountCache(system);
    }
}
